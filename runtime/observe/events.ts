import type { TroupeErrorCode, WireError } from '../kernel/errors.js'

/** Who speaks: `name` is unique in a troupe (`judge`, or `judge/1` for a replica). */
export interface ActorIdentity {
  readonly name: string
  readonly role: string
  readonly replica: number
}

/** What the place that an actor lives in has used; about once a second, and once more when the actor is disposed of. */
export interface UsageEvent extends Usage {
  readonly type: 'usage'
  readonly actor: ActorIdentity
  readonly at: number
}

export interface Usage {
  /** Processor time since the start, user and system together. */
  readonly cpuMs: number
  /**
   * Whose time `cpuMs` is: the actor's own thread's, without the threads that native code starts beside it; the whole
   * process's; or `loop`, where neither is to be had: the time in which the event loop was not idle.
   */
  readonly cpuOf: 'thread' | 'process' | 'loop'
  /** Fraction of the time since the last report in which the event loop was not idle. */
  readonly eventLoopUtilization: number
  /** Resident memory of the whole process. */
  readonly rssBytes: number
  /** JavaScript heap of the actor's own isolate. */
  readonly heapUsedBytes: number
  /** Buffers of the isolate, outside of its heap: weights and activations of the onnx backend are among them. */
  readonly arrayBuffersBytes: number
  /** Tensors that TensorFlow.js holds in this thread; 0 where it is not loaded. */
  readonly tensorBytes: number
}

/** What a troupe reports while it runs. Times are milliseconds since the Unix epoch. */
export type RunEvent =
  | {
      readonly type: 'state'
      readonly actor: ActorIdentity
      readonly at: number
      /** `restarting`: it has failed, and its supervisor brings it back. */
      readonly state: 'starting' | 'ready' | 'stopped' | 'failed' | 'restarting'
      readonly error?: WireError | undefined
      /** Why, where the error itself has no code. */
      readonly code?: TroupeErrorCode | undefined
      /** How often it has been started again so far. */
      readonly restarts?: number | undefined
    }
  /** A message that an actor could not survive was set aside, and will not be given to it again. */
  | {
      readonly type: 'aside'
      readonly actor: ActorIdentity
      readonly at: number
      readonly input: string
      readonly error: WireError
    }
  | UsageEvent
  /** One turn: a busy period of an actor. `queuedAt` is when its item was ready to be worked on. */
  | {
      readonly type: 'span'
      readonly actor: ActorIdentity
      readonly name: string
      readonly queuedAt: number
      readonly start: number
      readonly end: number
      readonly attributes?: Readonly<Record<string, number | string>>
    }
  | {
      readonly type: 'queue'
      readonly actor: ActorIdentity
      readonly at: number
      readonly input: string
      readonly depth: number
      readonly window: number
    }
  | {
      readonly type: 'metric'
      readonly actor: ActorIdentity
      readonly at: number
      readonly name: string
      readonly value: number
      readonly attributes?: Readonly<Record<string, number | string>>
    }
  /** How far a role has come in its current phase; `total` is absent where it cannot be known. */
  | {
      readonly type: 'progress'
      readonly actor: ActorIdentity
      readonly at: number
      readonly phase: string
      readonly done: number
      readonly total?: number | undefined
      readonly unit: string
    }
  /** A line for the run folder, e.g. one sample; never dropped. */
  | {
      readonly type: 'record'
      readonly actor: ActorIdentity
      readonly at: number
      readonly kind: string
      readonly value: unknown
    }
  | {
      readonly type: 'log'
      readonly actor: ActorIdentity
      readonly at: number
      readonly level: 'debug' | 'info' | 'warn' | 'error'
      readonly message: string
    }
