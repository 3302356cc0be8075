import type { Wire } from '../channel/wire.js'
import type { ActorDefinition } from '../kernel/actor.js'
import type { Outcome, TurnBegun, Work } from '../kernel/busy-period.js'
import type { FifoLock } from '../kernel/lock.js'
import type { Reporter } from '../observe/reporter.js'
import type { WeightStore, WeightStoreHandle } from '../tensor/weights.js'
import type { Clock } from '../time/clock.js'
import type { Scheduler } from '../time/scheduler.js'

/** What the place provides that an actor lives in. `H` is an end of a wire as it arrives there. */
export interface CellPlace<H> {
  readonly clock: Clock
  readonly scheduler: Scheduler
  readonly lock: FifoLock
  readonly reporter: Reporter
  readonly definition: () => Promise<ActorDefinition>
  readonly toWire: (end: H) => Wire
  /** Runs what may run the actor's own code, so that a stray error can be told whose it is. */
  readonly within: <T>(work: () => T) => T
  /** How many turns that wait for nothing may follow one another, and for how long, before what they did leaves. Default: one. */
  readonly burst?: { readonly turns: number; readonly ms?: number | undefined } | undefined
  /** Does a turn's work where time is virtual: the result comes at the moment at which the turn ends. `index` counts turns. */
  readonly perform?:
    | (<A, R>(turn: TurnBegun, index: number, work: Work<A, R>, item: A, outcome: Outcome<R>) => void)
    | undefined
  /** Default: shared memory, as other threads see it. */
  readonly openWeights?: ((handle: WeightStoreHandle) => WeightStore) | undefined
}
