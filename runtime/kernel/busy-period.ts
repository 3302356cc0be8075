import type { Clock } from '../time/clock.js'
import type { Gate } from './gate.js'
import type { FifoLock } from './lock.js'

/** A turn that begins. */
export interface TurnBegun {
  readonly name: string
  readonly queuedAt: number
  readonly attributes?: Readonly<Record<string, number | string>>
}

/** Who waits for a turn: told at once where its work was done at once. */
export interface Outcome<R> {
  ended(result: R): void
  failed(error: unknown): void
}

export type Work<A, R> = (item: A) => R | Promise<R>

/**
 * Does the work of a turn; an actor has one at a time. Where time is virtual, the result comes at the moment at which the
 * turn ends.
 */
type Perform = <A, R>(turn: TurnBegun, work: Work<A, R>, item: A, outcome: Outcome<R>) => void

/** What turns need of the actor that they belong to. */
export interface TurnHost {
  readonly role: string
  readonly clock: Clock
  readonly gate: Gate
  readonly lock: FifoLock
  /** True once the actor stops: a turn that has not begun never begins, and never settles. */
  readonly halted: () => boolean
  /** Arrival of the item that the actor is being given, where it is given one. */
  readonly arrivedAt?: (() => number | undefined) | undefined
  /** Just before a turn of the actor's own loop: what was done until now can be put away; the turn waits for it. */
  readonly beforeOwn?: (() => Promise<void> | undefined) | undefined
  /** A turn waits to be ready (+1), or does not any more (−1). */
  readonly onWaiting?: ((change: 1 | -1) => void) | undefined
  /** A turn begins. */
  readonly onBegin: () => void
  /** Default: at once. */
  readonly perform?: Perform | undefined
  /** The turn has ended, well or not. */
  readonly onEnd: (turn: TurnBegun, start: number, end: number) => void
  /** A turn of a stream failed: so does the actor. */
  readonly fail: (error: unknown) => void
}

/**
 * The busy period itself: waits its turn, works, reports. Where nothing has to be waited for, all of it happens before
 * this returns, and no promise is made. An actor has one, which it uses for one turn after another.
 */
export class BusyPeriod {
  readonly host: TurnHost
  readonly gate: Gate
  readonly clock: Clock
  readonly #lock: FifoLock
  readonly #perform: Perform | undefined
  /** Of the turn that is being performed. */
  #begun: TurnBegun | undefined
  #start = 0
  #outcome: Outcome<unknown> | undefined
  #result: unknown

  constructor(host: TurnHost) {
    this.host = host
    this.gate = host.gate
    this.clock = host.clock
    this.#lock = host.lock
    this.#perform = host.perform
  }

  occupy<A, R>(begun: TurnBegun, work: Work<A, R>, item: A, outcome: Outcome<R>): void {
    if (this.#lock.tryEnter()) this.#begin(begun, work, item, outcome)
    else this.#lock.enter(() => this.gate.within(() => this.#begin(begun, work, item, outcome)))
  }

  /** The performed turn ends: told from outside of the actor. */
  ended(result: unknown): void {
    this.#endPerformed(result, this.#tellEnded)
  }

  failed(error: unknown): void {
    this.#endPerformed(error, this.#tellFailed)
  }

  #begin<A, R>(begun: TurnBegun, work: Work<A, R>, item: A, outcome: Outcome<R>): void {
    const { host } = this
    if (host.halted()) {
      this.#lock.release()
      return
    }
    const start = this.clock.now()
    host.onBegin()
    if (this.#perform) {
      this.#begun = begun
      this.#start = start
      this.#outcome = outcome as Outcome<unknown>
      this.#perform(begun, work, item, this)
      return
    }
    let result: R | Promise<R>
    try {
      result = work(item)
    } catch (error) {
      this.#end(begun, start, true)
      outcome.failed(error)
      return
    }
    if (isPromise(result)) {
      result.then(
        (value) => {
          this.#end(begun, start, false)
          outcome.ended(value)
        },
        (error: unknown) => {
          this.#end(begun, start, false)
          outcome.failed(error)
        },
      )
      return
    }
    this.#end(begun, start, true)
    outcome.ended(result)
  }

  #end(begun: TurnBegun, start: number, settled: boolean): void {
    this.host.onEnd(begun, start, this.clock.now())
    this.#lock.release(settled)
  }

  #endPerformed(result: unknown, tell: () => void): void {
    this.#end(this.#begun as TurnBegun, this.#start, false)
    this.#result = result
    this.gate.within(tell)
  }

  readonly #tellEnded = () => {
    const result = this.#result
    this.#taken().ended(result)
  }

  readonly #tellFailed = () => {
    const error = this.#result
    this.#taken().failed(error)
  }

  #taken(): Outcome<unknown> {
    const outcome = this.#outcome as Outcome<unknown>
    this.#begun = this.#outcome = this.#result = undefined
    return outcome
  }
}

function isPromise<R>(result: R | Promise<R>): result is Promise<R> {
  return typeof result === 'object' && result !== null && typeof (result as Promise<R>).then === 'function'
}
