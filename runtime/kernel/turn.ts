import { Observable, type OperatorFunction, type Subscriber } from 'rxjs'
import type { Turn, TurnOptions } from './actor.js'
import { BusyPeriod, type Outcome, type TurnBegun, type TurnHost, type Work } from './busy-period.js'
import type { Source } from './gate.js'

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
