import { Observable, type OperatorFunction, type Subscriber } from 'rxjs'
import type { Clock } from '../time/clock.js'
import type { Turn, TurnOptions } from './actor.js'
import type { Gate } from './gate.js'
import type { FifoLock } from './lock.js'

/** One finished turn, as it is reported. */
export interface Span {
  readonly name: string
  readonly queuedAt: number
  readonly start: number
  readonly end: number
  readonly attributes?: Readonly<Record<string, number | string>>
}

/** A turn that begins. */
export type TurnBegun = Pick<Span, 'name' | 'queuedAt' | 'attributes'>

/** Who waits for a turn: told at once where its work was done at once. */
export interface Outcome<R> {
  ended(result: R): void
  failed(error: unknown): void
}

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
  /** Does the work. Where time is virtual, the result comes at the moment at which the turn ends. Default: at once. */
  readonly perform?: (<R>(turn: TurnBegun, work: () => R | Promise<R>, outcome: Outcome<R>) => void) | undefined
  /** The turn has ended, well or not. */
  readonly onSpan: (span: Span) => void
  /** A turn of a stream failed: so does the actor. */
  readonly fail: (error: unknown) => void
}

const never = new Promise<never>(() => {})

type Work<A, R> = (item: A) => R | Promise<R>

/** The `turn` of an actor's context. */
export function createTurn(host: TurnHost): Turn {
  const operator = <T, R>(work: (item: T) => R | Promise<R>, options: TurnOptions<T> = {}): OperatorFunction<T, R> => {
    return (source) => new Observable<R>((subscriber) => new TurnQueue(host, work, options, subscriber).follow(source))
  }
  const own = {
    run: <R>(name: string, work: () => R | Promise<R>, options: { take?: number } = {}) =>
      runOwn(host, name, work, options.take ?? 0),
    generate: <R>(name: string, items: () => AsyncIterator<R> | Iterator<R>) => generate(host, name, items),
  }
  return Object.assign(operator, own)
}

/**
 * The busy period itself: waits its turn, works, reports the span. Where nothing has to be waited for, all of it happens
 * before this returns, and no promise is made.
 */
function occupy<A, R>(host: TurnHost, begun: TurnBegun, work: Work<A, R>, item: A, outcome: Outcome<R>): void {
  if (host.lock.tryEnter()) begin(host, begun, work, item, outcome)
  else host.lock.enter(() => host.gate.within(() => begin(host, begun, work, item, outcome)))
}

function begin<A, R>(host: TurnHost, begun: TurnBegun, work: Work<A, R>, item: A, outcome: Outcome<R>): void {
  if (host.halted()) {
    host.lock.release()
    return
  }
  const start = host.clock.now()
  host.onBegin()
  if (host.perform) {
    host.perform(begun, () => work(item), asItsOwn(host, begun, start, outcome))
    return
  }
  let result: R | Promise<R>
  try {
    result = work(item)
  } catch (error) {
    end(host, begun, start, true)
    outcome.failed(error)
    return
  }
  if (isPromise(result)) {
    result.then(
      (value) => {
        end(host, begun, start, false)
        outcome.ended(value)
      },
      (error: unknown) => {
        end(host, begun, start, false)
        outcome.failed(error)
      },
    )
    return
  }
  end(host, begun, start, true)
  outcome.ended(result)
}

/** Told from outside of the actor, at the moment at which the turn ends. */
function asItsOwn<R>(host: TurnHost, begun: TurnBegun, start: number, outcome: Outcome<R>): Outcome<R> {
  const { gate } = host
  return {
    ended: (result) => {
      end(host, begun, start, false)
      gate.within(() => outcome.ended(result))
    },
    failed: (error) => {
      end(host, begun, start, false)
      gate.within(() => outcome.failed(error))
    },
  }
}

function end(host: TurnHost, { name, queuedAt, attributes }: TurnBegun, start: number, settled: boolean): void {
  const span = { name, queuedAt, start, end: host.clock.now() }
  host.onSpan(attributes ? { ...span, attributes } : span)
  host.lock.release(settled)
}

function isPromise<R>(result: R | Promise<R>): result is Promise<R> {
  return typeof result === 'object' && result !== null && typeof (result as Promise<R>).then === 'function'
}

function runOwn<R>(host: TurnHost, name: string, work: () => R | Promise<R>, take: number): Promise<R> {
  const { gate } = host
  if (host.halted()) return never
  gate.enter()
  const queuedAt = host.clock.now()
  return new Promise<R>((resolve, reject) => {
    const outcome: Outcome<R> = {
      ended: (result) => {
        resolve(result)
        gate.leave()
      },
      failed: (error) => {
        reject(error)
        gate.leave()
      },
    }
    const admitted = () => {
      if (take > 0) gate.admit(take)
      return work()
    }
    const go = () => occupy(host, { name, queuedAt }, admitted, undefined, outcome)
    const putAway = host.beforeOwn?.()
    if (putAway) putAway.then(go, outcome.failed)
    else if (gate.tired) gate.rest(go)
    else go()
  })
}

/** Works on the items of one stream, one turn each, in order. */
class TurnQueue<T, R> implements Outcome<R> {
  readonly #host: TurnHost
  readonly #work: Work<T, R>
  readonly #options: TurnOptions<T>
  readonly #subscriber: Subscriber<R>
  #items: { readonly item: T; readonly queuedAt: number }[] = []
  #working = false
  #draining = false
  #completed = false

  constructor(host: TurnHost, work: Work<T, R>, options: TurnOptions<T>, subscriber: Subscriber<R>) {
    this.#host = host
    this.#work = work
    this.#options = options
    this.#subscriber = subscriber
  }

  follow(source: Observable<T>): () => void {
    const { gate } = this.#host
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
    if (!this.#host.halted()) this.#fail(error)
    this.#left()
  }

  #take(item: T): void {
    const { gate, clock, arrivedAt } = this.#host
    gate.enter()
    const queuedAt = arrivedAt?.() ?? clock.now()
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
    const { name = this.#host.role, attributes } = this.#options
    let begun: TurnBegun
    try {
      begun = attributes ? { name, queuedAt, attributes: attributes(item) } : { name, queuedAt }
    } catch (error) {
      this.failed(error)
      return
    }
    occupy(this.#host, begun, this.#work, item, this)
  }

  async #untilReady(ready: (item: T) => Promise<void>, item: T): Promise<void> {
    const { onWaiting } = this.#host
    onWaiting?.(1)
    try {
      await ready(item)
    } finally {
      onWaiting?.(-1)
    }
  }

  #fail(error: unknown): void {
    this.#host.fail(error)
    this.#subscriber.error(error)
  }

  /** The turn is over: on to the next that waits, without a deeper stack for each. */
  #left(): void {
    this.#working = false
    this.#host.gate.leave()
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
function generate<R>(host: TurnHost, name: string, items: () => AsyncIterator<R> | Iterator<R>): Observable<R> {
  return new Observable<R>((subscriber) => {
    const { gate } = host
    const iterator = items()
    const pull = () => iterator.next()
    let pulling = false
    let ended = false

    const outcome: Outcome<IteratorResult<R>> = {
      ended: ({ done, value }) => {
        try {
          if (done) finish()
          else subscriber.next(value)
          if (done) subscriber.complete()
        } catch (error) {
          fail(error)
        }
        left()
      },
      failed: (error) => {
        fail(error)
        left()
      },
    }

    function fail(error: unknown): void {
      finish()
      if (!host.halted()) host.fail(error)
      subscriber.error(error)
    }

    function left(): void {
      pulling = false
      gate.leave()
    }

    function finish(): void {
      ended = true
      gate.remove(source)
    }

    const source = {
      kind: 'own' as const,
      get waiting() {
        return !pulling && !ended
      },
      take: () => {
        pulling = true
        gate.enter()
        occupy<undefined, IteratorResult<R>>(host, { name, queuedAt: host.clock.now() }, pull, undefined, outcome)
      },
    }
    gate.add(source)
    return () => {
      const early = !ended
      finish()
      if (early) void leave(iterator).catch((error: unknown) => host.fail(error))
    }
  })
}

async function leave(iterator: AsyncIterator<unknown> | Iterator<unknown>): Promise<void> {
  await iterator.return?.()
}
