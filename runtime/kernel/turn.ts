import { Observable, type OperatorFunction, type Subscriber } from 'rxjs'
import type { Clock } from '../time/clock.js'
import type { Turn, TurnOptions } from './actor.js'
import type { Gate, Source } from './gate.js'
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
export type Perform = <A, R>(turn: TurnBegun, work: Work<A, R>, item: A, outcome: Outcome<R>) => void

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

const never = new Promise<never>(() => {})

/** The `turn` of an actor's context. */
export function createTurn(host: TurnHost): Turn {
  const period = new BusyPeriod(host)
  const operator = <T, R>(work: (item: T) => R | Promise<R>, options: TurnOptions<T> = {}): OperatorFunction<T, R> => {
    return (source) =>
      new Observable<R>((subscriber) => new TurnQueue(period, work, options, subscriber).follow(source))
  }
  const own = {
    run: <R>(name: string, work: () => R | Promise<R>, options: { take?: number } = {}) =>
      runOwn(period, name, work, options.take ?? 0),
    generate: <R>(name: string, items: () => AsyncIterator<R> | Iterator<R>) =>
      new Observable<R>((subscriber) => new Generated(period, name, items(), subscriber).follow()),
  }
  return Object.assign(operator, own)
}

/**
 * The busy period itself: waits its turn, works, reports. Where nothing has to be waited for, all of it happens before
 * this returns, and no promise is made. An actor has one, which it uses for one turn after another.
 */
class BusyPeriod {
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

function runOwn<R>(period: BusyPeriod, name: string, work: () => R | Promise<R>, take: number): Promise<R> {
  if (period.host.halted()) return never
  period.gate.enter()
  const begun = { name, queuedAt: period.clock.now() }
  return new Promise<R>((resolve, reject) => new OwnTurn(period, begun, work, take, resolve, reject).want())
}

/** One turn of the actor's own loop. */
class OwnTurn<R> implements Outcome<R> {
  readonly #period: BusyPeriod
  readonly #begun: TurnBegun
  readonly #work: () => R | Promise<R>
  readonly #take: number
  readonly #resolve: (result: R) => void
  readonly #reject: (error: unknown) => void

  constructor(
    period: BusyPeriod,
    begun: TurnBegun,
    work: () => R | Promise<R>,
    take: number,
    resolve: (result: R) => void,
    reject: (error: unknown) => void,
  ) {
    this.#period = period
    this.#begun = begun
    this.#work = work
    this.#take = take
    this.#resolve = resolve
    this.#reject = reject
  }

  want(): void {
    const { host, gate } = this.#period
    const putAway = host.beforeOwn?.()
    if (putAway)
      putAway.then(
        () => this.go(),
        (error) => this.failed(error),
      )
    else if (gate.tired) gate.rest(this)
    else this.go()
  }

  go(): void {
    this.#period.occupy(this.#begun, this.#take > 0 ? this.#admitted : this.#work, undefined, this)
  }

  ended(result: R): void {
    this.#resolve(result)
    this.#period.gate.leave()
  }

  failed(error: unknown): void {
    this.#reject(error)
    this.#period.gate.leave()
  }

  get #admitted(): () => R | Promise<R> {
    return () => {
      this.#period.gate.admit(this.#take)
      return this.#work()
    }
  }
}

/** Works on the items of one stream, one turn each, in order. */
class TurnQueue<T, R> implements Outcome<R> {
  readonly #period: BusyPeriod
  readonly #work: Work<T, R>
  readonly #options: TurnOptions<T>
  readonly #subscriber: Subscriber<R>
  #items: { readonly item: T; readonly queuedAt: number }[] = []
  #working = false
  #draining = false
  #completed = false

  constructor(period: BusyPeriod, work: Work<T, R>, options: TurnOptions<T>, subscriber: Subscriber<R>) {
    this.#period = period
    this.#work = work
    this.#options = options
    this.#subscriber = subscriber
  }

  follow(source: Observable<T>): () => void {
    const { gate } = this.#period
    const subscriber = this.#subscriber
    const subscription = source.subscribe({
      next: (item) => this.#take(item),
      error: (error) => subscriber.error(error),
      complete: () => {
        this.#completed = true
        if (!this.#working) subscriber.complete()
      },
    })
    return () => {
      subscription.unsubscribe()
      gate.leave(this.#items.length)
      this.#items = []
    }
  }

  ended(result: R): void {
    try {
      this.#subscriber.next(result)
    } catch (error) {
      this.#fail(error)
    }
    this.#left()
  }

  failed(error: unknown): void {
    if (!this.#period.host.halted()) this.#fail(error)
    this.#left()
  }

  #take(item: T): void {
    const { gate, clock, host } = this.#period
    gate.enter()
    const queuedAt = host.arrivedAt?.() ?? clock.now()
    if (this.#working) this.#items.push({ item, queuedAt })
    else this.#one(item, queuedAt)
  }

  #one(item: T, queuedAt: number): void {
    this.#working = true
    const { ready } = this.#options
    if (ready)
      this.#untilReady(ready, item).then(
        () => this.#begin(item, queuedAt),
        (error) => this.failed(error),
      )
    else this.#begin(item, queuedAt)
  }

  #begin(item: T, queuedAt: number): void {
    const { name = this.#period.host.role, attributes } = this.#options
    let begun: TurnBegun
    try {
      begun = attributes ? { name, queuedAt, attributes: attributes(item) } : { name, queuedAt }
    } catch (error) {
      this.failed(error)
      return
    }
    this.#period.occupy(begun, this.#work, item, this)
  }

  async #untilReady(ready: (item: T) => Promise<void>, item: T): Promise<void> {
    const { host } = this.#period
    host.onWaiting?.(1)
    try {
      await ready(item)
    } finally {
      host.onWaiting?.(-1)
    }
  }

  #fail(error: unknown): void {
    this.#period.host.fail(error)
    this.#subscriber.error(error)
  }

  /** The turn is over: on to the next that waits, without a deeper stack for each. */
  #left(): void {
    this.#working = false
    this.#period.gate.leave()
    if (this.#draining) return
    this.#draining = true
    while (!this.#working) {
      const next = this.#items.shift()
      if (!next) break
      this.#one(next.item, next.queuedAt)
    }
    this.#draining = false
    if (this.#completed && !this.#working) this.#subscriber.complete()
  }
}

/** Pulls an iterator, one turn a pull, whenever the gate lets it. */
class Generated<R> implements Source, Outcome<IteratorResult<R>> {
  readonly kind = 'own'
  readonly #period: BusyPeriod
  readonly #name: string
  readonly #iterator: AsyncIterator<R> | Iterator<R>
  readonly #subscriber: Subscriber<R>
  readonly #pull = () => this.#iterator.next()
  #pulling = false
  #over = false

  constructor(period: BusyPeriod, name: string, iterator: AsyncIterator<R> | Iterator<R>, subscriber: Subscriber<R>) {
    this.#period = period
    this.#name = name
    this.#iterator = iterator
    this.#subscriber = subscriber
  }

  follow(): () => void {
    this.#period.gate.add(this)
    return () => {
      const early = !this.#over
      this.#finish()
      if (early) void leave(this.#iterator).catch((error: unknown) => this.#period.host.fail(error))
    }
  }

  get waiting(): boolean {
    return !this.#pulling && !this.#over
  }

  take(): void {
    const period = this.#period
    this.#pulling = true
    period.gate.enter()
    period.occupy({ name: this.#name, queuedAt: period.clock.now() }, this.#pull, undefined, this)
  }

  ended({ done, value }: IteratorResult<R>): void {
    try {
      if (done) this.#finish()
      else this.#subscriber.next(value)
      if (done) this.#subscriber.complete()
    } catch (error) {
      this.#fail(error)
    }
    this.#left()
  }

  failed(error: unknown): void {
    this.#fail(error)
    this.#left()
  }

  #fail(error: unknown): void {
    const { host } = this.#period
    this.#finish()
    if (!host.halted()) host.fail(error)
    this.#subscriber.error(error)
  }

  #left(): void {
    this.#pulling = false
    this.#period.gate.leave()
  }

  #finish(): void {
    this.#over = true
    this.#period.gate.remove(this)
  }
}

async function leave(iterator: AsyncIterator<unknown> | Iterator<unknown>): Promise<void> {
  await iterator.return?.()
}
