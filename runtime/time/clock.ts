import { setTimeout as delay } from 'node:timers/promises'
import { TroupeError } from '../kernel/errors.js'

export interface TimerOptions {
  /**
   * True for a timer that only accompanies other work, as a heartbeat does: it does not keep virtual time going, and a
   * run in which nothing but such timers is left has stalled. The machine's clock makes no difference.
   */
  readonly weak?: boolean
}

/** Time as a value that is passed in; only `runtime/time` touches the machine's own clock and timers. */
export interface Clock {
  /** Milliseconds since the Unix epoch with sub-millisecond resolution; comparable between threads of one machine. */
  now(): number
  /** Resolves after `ms`, or rejects with the signal's reason. Does not keep the process alive. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
  /** Runs `work` after `ms` unless the returned function is called before. Does not keep the process alive. */
  after(ms: number, work: () => void, options?: TimerOptions): () => void
  /** Settles as `work` does, or rejects with `E_DEADLINE` after `ms`. `what` completes "… did not finish". */
  deadline<T>(work: Promise<T>, ms: number, what: string): Promise<T>
}

const { timeOrigin } = performance

/** The machine's clock. */
export const realClock: Clock = {
  now: () => timeOrigin + performance.now(),
  async sleep(ms, signal) {
    try {
      await delay(ms, undefined, { ref: false, ...(signal ? { signal } : {}) })
    } catch (error) {
      throw signal?.aborted ? signal.reason : error
    }
  },
  after(ms, work) {
    const timer = setTimeout(work, ms)
    timer.unref()
    return () => clearTimeout(timer)
  },
  deadline: (work, ms, what) =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(late(ms, what)), ms)
      work.then(
        (value) => {
          clearTimeout(timer)
          resolve(value)
        },
        (error: unknown) => {
          clearTimeout(timer)
          reject(error)
        },
      )
    }),
}

/** The error of a deadline that has passed. */
export function late(ms: number, what: string): TroupeError {
  return new TroupeError('E_DEADLINE', `${what} did not finish within ${ms} ms`)
}
