import type { Clock } from '../time/clock.js'
import { openWeightStore } from './weight-store.js'
import type { WeightStore, WeightStoreHandle } from './weights.js'

interface Waiter {
  readonly version: number
  readonly tell: (version: number) => void
}

/**
 * The store as the actors of one thread share it: who waits for a version is told by who publishes it, in the order in which they
 * came, and not by the machine at some later moment. Deadlines are of the clock that is given.
 */
export function localWeights(handle: WeightStoreHandle, clock: Clock): WeightStore {
  const store = openWeightStore(handle)
  let waiters: Waiter[] = []

  function publish(version: number, flat: Float32Array): void {
    store.publish(version, flat)
    const told = waiters.filter((waiter) => waiter.version <= version)
    waiters = waiters.filter((waiter) => waiter.version > version)
    for (const { tell } of told) tell(version)
  }

  async function atLeast(version: number, options: { deadlineMs: number; signal?: AbortSignal }): Promise<number> {
    const { deadlineMs, signal } = options
    signal?.throwIfAborted()
    const now = store.version()
    if (now >= version) return now
    let onAbort = () => {}
    const waiting = new Promise<number>((resolve, reject) => {
      const waiter = { version, tell: resolve }
      waiters.push(waiter)
      onAbort = () => {
        waiters = waiters.filter((each) => each !== waiter)
        reject(signal?.reason)
      }
      signal?.addEventListener('abort', onAbort, { once: true })
    })
    try {
      return await clock.deadline(waiting, deadlineMs, `waiting for version ${version} of the weights`)
    } finally {
      signal?.removeEventListener('abort', onAbort)
    }
  }

  return { ...store, publish, atLeast }
}
