import { setTimeout as delay } from 'node:timers/promises'
import { TroupeError } from '../kernel/errors.js'

/** Time as a value that is passed in; only `runtime/time` touches the machine's own clock and timers. */
export interface Clock {
  /** Milliseconds since the Unix epoch with sub-millisecond resolution; comparable between threads of one machine. */
  now(): number
  /** Resolves after `ms`, or rejects with the signal's reason. Does not keep the process alive. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
  /** Settles as `work` does, or rejects with `E_DEADLINE` after `ms`. `what` completes "… did not finish". */
  deadline<T>(work: Promise<T>, ms: number, what: string): Promise<T>
  /** Calls `work` once after `ms` unless the returned function was called before. Does not keep the process alive. */
  after(ms: number, work: () => void): () => void
}

/** The machine's clock. */
export const realClock: Clock = {
  now: () => performance.timeOrigin + performance.now(),
  sleep: (ms, signal) => delay(ms, undefined, { ref: false, ...(signal ? { signal } : {}) }),
  after: (ms, work) => {
    const timer = setTimeout(work, ms).unref()
    return () => clearTimeout(timer)
  },
  deadline: (work, ms, what) =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new TroupeError('E_DEADLINE', `${what} did not finish within ${ms} ms`)),
        ms,
      )
      work.then(resolve, reject).finally(() => clearTimeout(timer))
    }),
}
