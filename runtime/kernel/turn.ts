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
  readonly perform?: (<R>(turn: TurnBegun, work: () => R | Promise<R>) => Promise<R>) | undefined
  /** The turn has ended, well or not. */
  readonly onSpan: (span: Span) => void
  /** A turn of a stream failed: so does the actor. */
  readonly fail: (error: unknown) => void
}

const never = new Promise<never>(() => {})

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

/** The busy period itself: waits its turn, works, reports the span. */
async function occupy<R>(host: TurnHost, span: TurnBegun, work: () => R | Promise<R>): Promise<R> {
  await host.lock.acquire()
  if (host.halted()) {
    host.lock.release()
    return never
  }
  const start = host.clock.now()
  host.onBegin()
  try {
    return await (host.perform ? host.perform(span, work) : work())
  } finally {
    host.onSpan({ ...span, start, end: host.clock.now() })
    host.lock.release()
  }
}

async function runOwn<R>(host: TurnHost, name: string, work: () => R | Promise<R>, take: number): Promise<R> {
  if (host.halted()) return never
  host.gate.enter()
  try {
    const queuedAt = host.clock.now()
    const putAway = host.beforeOwn?.()
    if (putAway) await putAway
    return await occupy(host, { name, queuedAt }, () => {
      host.gate.admit(take)
      return work()
    })
  } finally {
    host.gate.leave()
  }
}

/** Works on the items of one stream, one turn each, in order. */
class TurnQueue<T, R> {
  readonly #items: { readonly item: T; readonly queuedAt: number }[] = []
  #working = false
  #completed = false

  constructor(
    private readonly host: TurnHost,
    private readonly work: (item: T) => R | Promise<R>,
    private readonly options: TurnOptions<T>,
    private readonly subscriber: Subscriber<R>,
  ) {}

  follow(source: Observable<T>): () => void {
    const { host, subscriber } = this
    const subscription = source.subscribe({
      next: (item) => {
        host.gate.enter()
        this.#items.push({ item, queuedAt: host.arrivedAt?.() ?? host.clock.now() })
        if (!this.#working) void this.#drain()
      },
      error: (error) => subscriber.error(error),
      complete: () => {
        this.#completed = true
        if (!this.#working) subscriber.complete()
      },
    })
    return () => {
      subscription.unsubscribe()
      host.gate.leave(this.#items.splice(0).length)
    }
  }

  async #drain(): Promise<void> {
    const { host, subscriber } = this
    this.#working = true
    for (let next = this.#items.shift(); next !== undefined; next = this.#items.shift()) {
      try {
        subscriber.next(await this.#one(next.item, next.queuedAt))
      } catch (error) {
        if (host.halted()) return
        host.fail(error)
        subscriber.error(error)
      } finally {
        host.gate.leave()
      }
    }
    this.#working = false
    if (this.#completed) subscriber.complete()
  }

  async #untilReady(ready: (item: T) => Promise<void>, item: T): Promise<void> {
    const { host } = this
    host.onWaiting?.(1)
    try {
      await ready(item)
    } finally {
      host.onWaiting?.(-1)
    }
  }

  async #one(item: T, queuedAt: number): Promise<R> {
    const { host, work, options } = this
    if (options.ready) await this.#untilReady(options.ready, item)
    const attributes = options.attributes?.(item)
    const span = { name: options.name ?? host.role, queuedAt, ...(attributes ? { attributes } : {}) }
    return occupy(host, span, () => work(item))
  }
}

/** Pulls an iterator, one turn a pull, whenever the gate lets it. */
function generate<R>(host: TurnHost, name: string, items: () => AsyncIterator<R> | Iterator<R>): Observable<R> {
  return new Observable<R>((subscriber) => {
    const { gate } = host
    const iterator = items()
    let pulling = false
    let ended = false

    async function pull(): Promise<void> {
      pulling = true
      gate.enter()
      try {
        const pulled = () => iterator.next()
        const { done, value } = await occupy<IteratorResult<R>>(host, { name, queuedAt: host.clock.now() }, pulled)
        if (done) end()
        else subscriber.next(value)
        if (done) subscriber.complete()
      } catch (error) {
        end()
        if (!host.halted()) host.fail(error)
        subscriber.error(error)
      } finally {
        pulling = false
        gate.leave()
      }
    }

    function end(): void {
      ended = true
      gate.remove(source)
    }

    const source = {
      kind: 'own' as const,
      get waiting() {
        return !pulling && !ended
      },
      take: () => void pull(),
    }
    gate.add(source)
    return () => {
      const early = !ended
      end()
      if (early) void leave(iterator).catch((error: unknown) => host.fail(error))
    }
  })
}

async function leave(iterator: AsyncIterator<unknown> | Iterator<unknown>): Promise<void> {
  await iterator.return?.()
}
