/** Plain data: how long a meter lets things run in before it measures, and how long it measures. */
export interface Span {
  readonly warmMs: number
  readonly measureMs: number
}

/** Items between two looks at the clock. */
const STRIDE = 64

/**
 * Counts items at the end where they arrive, the same on both sides of a comparison: the rate is taken over a span
 * of time that begins once everything before it has run in, so neither start nor compilation is part of it.
 */
export class Meter {
  readonly #warmMs: number
  readonly #measureMs: number
  #count = 0
  #first = 0
  #from: { readonly count: number; readonly at: number } | undefined
  #perSecond: number | undefined

  constructor({ warmMs, measureMs }: Span) {
    this.#warmMs = warmMs
    this.#measureMs = measureMs
  }

  /** One more item; true once enough has been seen. */
  tick(stride = STRIDE): boolean {
    this.#count++
    if (this.#count % stride !== 0 && this.#count !== 1) return this.done
    const now = performance.now()
    if (this.#count === 1) this.#first = now
    if (!this.#from && now - this.#first >= this.#warmMs) this.#from = { count: this.#count, at: now }
    if (this.#from && !this.done && now - this.#from.at >= this.#measureMs) {
      this.#perSecond = (1000 * (this.#count - this.#from.count)) / (now - this.#from.at)
    }
    return this.done
  }

  get done(): boolean {
    return this.#perSecond !== undefined
  }

  /** Items a second. */
  get rate(): number {
    if (this.#perSecond === undefined) throw new Error('the meter has not seen enough')
    return this.#perSecond
  }
}
