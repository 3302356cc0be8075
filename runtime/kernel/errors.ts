/** Every error code that Troupe raises, with what it means. A code is stable; a message may be reworded. */
export type TroupeErrorCode =
  | 'E_CONFIG' // an option or configuration value is wrong (exit code 2)
  | 'E_DATA' // a dataset line, prompt or verdict is malformed (exit code 2)
  | 'E_CHECKPOINT' // a checkpoint folder or file cannot be used (exit code 2)
  | 'E_JOURNAL' // the journal of a run cannot be written, or the run cannot be resumed from it (exit code 2)
  | 'E_BACKEND' // a tensor backend is missing or cannot do what was asked
  | 'E_COMPILE' // a function cannot be traced, or was called with a wrong shape or dtype
  | 'E_MESSAGE' // a message cannot cross a channel, or a frame is malformed
  | 'E_CHANNEL' // a channel was used against its protocol
  | 'E_DEADLINE' // a wait passed its deadline
  | 'E_ACTOR_DOWN' // the actor that was asked has failed or stopped
  | 'E_ACTOR_FAILED' // an actor raised an error while working
  | 'E_HOST_DIED' // the thread or process of an actor has ended by itself
  | 'E_HOST_ABORTED' // native code ended the process of an actor (abort, segmentation fault, …)
  | 'E_HOST_HUNG' // the thread or process of an actor has stopped to answer
  | 'E_RESTARTS' // an actor failed more often than its supervisor allows
  | 'E_POISON' // a message was set aside: it ended its actor too often, or was lost with it
  | 'E_STALLED' // nothing is left to happen, and the troupe has not finished
  | 'E_STOPPED' // the run was stopped before it finished
  | 'E_INVARIANT' // Troupe's own law was broken: a bug, please report it
  | 'E_REMOTE' // a service outside, which an actor asks, does not answer as it should
  | 'E_BUDGET' // what may be asked of a service outside is used up
  | 'E_UNSUPPORTED' // this build cannot do that

/** The plain form in which an error crosses a thread. */
export interface WireError {
  readonly name: string
  readonly message: string
  readonly stack?: string | undefined
  readonly code?: TroupeErrorCode | undefined
  readonly hint?: string | undefined
  readonly where?: string | undefined
  readonly cause?: WireError | undefined
}

/**
 * The one error class of Troupe: `code` (stable), `message` (what happened), `where` (actor, file or key) and
 * `hint` (what to do). It crosses threads whole: {@link toWire} and {@link fromWire} keep class, code and cause.
 */
export class TroupeError extends Error {
  override readonly name = 'TroupeError'
  readonly code: TroupeErrorCode
  readonly hint: string | undefined
  readonly where: string | undefined

  constructor(
    code: TroupeErrorCode,
    message: string,
    options: { hint?: string | undefined; where?: string | undefined; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.hint = options.hint
    this.where = options.where
  }

  /** One clear sentence or two, as a person reads it on the terminal. */
  sentence(): string {
    const where = this.where ? ` (${this.where})` : ''
    return `${this.message}${where}${this.hint ? `. ${this.hint}` : ''}`
  }
}

const MAX_CAUSES = 8

/** Flattens any thrown value into plain data; at most 8 causes deep. */
export function toWire(error: unknown, depth = 0): WireError {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error) }
  const own = error instanceof TroupeError ? { code: error.code, hint: error.hint, where: error.where } : {}
  const cause = error.cause === undefined || depth >= MAX_CAUSES ? undefined : toWire(error.cause, depth + 1)
  return { name: error.name, message: error.message, stack: error.stack, cause, ...own }
}

/** Rebuilds what {@link toWire} flattened: a `TroupeError` where it was one, else an `Error` of the same name. */
export function fromWire(wire: WireError): Error {
  const cause = wire.cause ? fromWire(wire.cause) : undefined
  if (wire.code) {
    const error = new TroupeError(wire.code, wire.message, { hint: wire.hint, where: wire.where, cause })
    if (wire.stack) error.stack = wire.stack
    return error
  }
  const error = new Error(wire.message, cause ? { cause } : undefined)
  error.name = wire.name
  if (wire.stack) error.stack = wire.stack
  return error
}

/** Checks one of Troupe's own laws; what fails here is a bug of Troupe's, never of the user's input. */
export function assert(condition: unknown, law: string): asserts condition {
  if (!condition)
    throw new TroupeError('E_INVARIANT', `invariant broken: ${law}`, {
      hint: 'This is a bug in Troupe: please report it with the run folder',
    })
}
