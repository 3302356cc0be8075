import type { WireError } from '../kernel/errors.js'

/** Who speaks: `name` is unique in a troupe (`judge`, or `judge/1` for a replica). */
export interface ActorIdentity {
  readonly name: string
  readonly role: string
  readonly replica: number
}

/** What a troupe reports while it runs. Times are milliseconds since the Unix epoch. */
export type RunEvent =
  | {
      readonly type: 'state'
      readonly actor: ActorIdentity
      readonly at: number
      readonly state: 'starting' | 'ready' | 'stopped' | 'failed' | 'restarting'
      readonly error?: WireError | undefined
      /** How often it was restarted, this time included. */
      readonly restarts?: number | undefined
    }
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
