import type { Scheduler } from '../time/scheduler.js'
import { assert } from './errors.js'

/** Lets one holder in at a time, in the order in which they asked. */
export class FifoLock {
  readonly #grant: (go: () => void) => void
  readonly #queue: (() => void)[] = []
  #held = false

  /** `grant` decides when a free lock is handed over; default: at once. */
  constructor(grant: (go: () => void) => void = (go) => go()) {
    this.#grant = grant
  }

  acquire(): Promise<void> {
    return new Promise((resolve) => {
      this.#queue.push(resolve)
      this.#next()
    })
  }

  release(): void {
    assert(this.#held, 'a lock is released by its holder')
    this.#held = false
    this.#next()
  }

  #next(): void {
    const next = this.#held ? undefined : this.#queue.shift()
    if (!next) return
    this.#held = true
    this.#grant(next)
  }
}

/**
 * The lock that all actors of one thread share: a turn begins when all consequences of the turn before have settled.
 * Two rounds, because what waits on shared memory (published weights) is woken by the machine between them.
 */
export function sharedThreadLock({ hop }: Scheduler): FifoLock {
  return new FifoLock((go) => hop(() => hop(go)))
}
