import type { InputPort } from '../channel/index.js'
import type { TurnBegun } from '../kernel/busy-period.js'
import { TroupeError, toWire } from '../kernel/errors.js'
import type { ActorIdentity, RunEvent } from '../observe/events.js'
import type { Reporter } from '../observe/reporter.js'
import type { Clock } from '../time/clock.js'
import type { CellSpec } from './stage.js'

/** What is told of an actor by the place that it lives in. */
export class CellReports {
  readonly #identity: ActorIdentity
  readonly #clock: Clock
  readonly #reporter: Reporter
  #silent = false
  #malformed = 0

  constructor({ name, role, replica }: CellSpec, clock: Clock, reporter: Reporter) {
    this.#identity = { name, role, replica }
    this.#clock = clock
    this.#reporter = reporter
  }

  /** Nothing more is heard of the actor. */
  silence(): void {
    this.#silent = true
  }

  emit(event: RunEvent): void {
    if (!this.#silent) this.#reporter.emit(event)
  }

  state(state: 'ready' | 'stopped' | 'failed', error?: unknown): void {
    this.emit({ type: 'state', ...this.#stamp(), state, ...(error === undefined ? {} : { error: toWire(error) }) })
  }

  log(message: string): void {
    this.emit({ type: 'log', ...this.#stamp(), level: 'warn', message })
  }

  malformed(port: string): void {
    this.log(`dropped a malformed frame at ${port} (${++this.#malformed} so far)`)
  }

  /** A message of an input is not given to the actor. */
  aside(input: string, what: string): void {
    const error = new TroupeError('E_POISON', what, { where: `${this.#identity.name}, input "${input}"` })
    this.emit({ type: 'aside', ...this.#stamp(), input, error: toWire(error) })
  }

  deadLetter(port: string, reason: 'overflow' | 'poison', message: unknown): RunEvent {
    return { type: 'record', ...this.#stamp(), kind: 'dead-letters', value: { port, reason, message } }
  }

  turn({ name, queuedAt, attributes }: TurnBegun, start: number, end: number, inputs: readonly InputPort[]): void {
    if (this.#silent) return
    const actor = this.#identity
    this.#reporter.emit(
      attributes
        ? { type: 'span', actor, name, queuedAt, start, end, attributes }
        : { type: 'span', actor, name, queuedAt, start, end },
    )
    for (const input of inputs) {
      if (input.ended) continue
      const { name: port, depth, window } = input
      this.#reporter.emit({ type: 'queue', actor, at: end, input: port, depth, window })
    }
    this.#reporter.afterTurn(end)
  }

  #stamp() {
    return { actor: this.#identity, at: this.#clock.now() }
  }
}
