import type { Scheduler } from '../time/scheduler.js'
import { assert } from './errors.js'

/** Lets one holder in at a time, in the order in which they asked. */
export class FifoLock {
  readonly #grant: (go: () => void) => void
  readonly #restless: boolean
  readonly #queue: (() => void)[] = []
  #held = false
  #settled: boolean

  /**
   * `grant` decides when a lock is handed over to who waits for it; default: in a microtask. A `restless` lock is given
   * away at once only after a release that said that everything had settled.
   */
  constructor(grant: (go: () => void) => void = queueMicrotask, options: { readonly restless?: boolean } = {}) {
    this.#grant = grant
    this.#restless = options.restless ?? false
    this.#settled = !this.#restless
  }

  acquire(): Promise<void> {
    return new Promise((resolve) => this.enter(resolve))
  }

  /** Takes the lock where it is free and nothing is left to settle. */
  tryEnter(): boolean {
    if (this.#held || !this.#settled) return false
    this.#held = true
    return true
  }

  /** Runs `go` as soon as the lock is had; not before this returns. */
  enter(go: () => void): void {
    this.#queue.push(go)
    this.#next()
  }

  /** `settled`: what was done has no consequences that are still under way. */
  release(settled = false): void {
    assert(this.#held, 'a lock is released by its holder')
    this.#held = false
    if (this.#restless) this.#settled = settled && this.#settled
    this.#next()
  }

  /** Something is under way that the next holder must not overtake. */
  disturb(): void {
    if (this.#restless) this.#settled = false
  }

  #next(): void {
    const next = this.#held ? undefined : this.#queue.shift()
    if (!next) return
    this.#held = true
    this.#grant(() => {
      this.#settled = true
      next()
    })
  }
}

/**
 * The lock that all actors of one thread share: a turn begins when all consequences of the turn before have settled.
 * Two rounds, because what waits on shared memory (published weights) is woken by the machine between them. A turn that
 * neither waited for anything nor published weights leaves none, and the next one may follow at once.
 */
export function sharedThreadLock({ hop }: Scheduler): FifoLock {
  return new FifoLock((go) => hop(() => hop(go)), { restless: true })
}
