import type { Clock } from '../../runtime/index.js'
import type { VirtualTime } from '../../runtime/time/virtual.js'

/** No wait may be longer than this. */
const LONGEST_MS = 2e8

/** Virtual time in which every wait is seen: how long it may take, and which are left at the end. */
export interface WatchedTime {
  readonly time: VirtualTime
  /** Timers that have neither fired nor been called off, and holds on time. */
  readonly left: () => { readonly timers: readonly string[]; readonly holds: number }
}

export function watchTime(time: VirtualTime, onUnbounded: (what: string) => void): WatchedTime {
  const timers = new Map<symbol, string>()
  let holds = 0
  const bounded = (ms: number, what: string) => {
    if (!(ms <= LONGEST_MS)) onUnbounded(`${what} waits for ${ms} ms`)
  }
  const { clock } = time
  const after: Clock['after'] = (ms, work, options) => {
    bounded(ms, 'a timer')
    if (options?.weak) return clock.after(ms, work, options)
    const timer = Symbol('timer')
    timers.set(timer, `a timer of ${ms} ms, set at ${clock.now()} ms`)
    const cancel = clock.after(ms, () => {
      timers.delete(timer)
      work()
    })
    return () => {
      timers.delete(timer)
      cancel()
    }
  }
  const deadline: Clock['deadline'] = (work, ms, what) => {
    bounded(ms, what)
    const timer = Symbol('deadline')
    timers.set(timer, what)
    return clock.deadline(work, ms, what).finally(() => timers.delete(timer))
  }
  return {
    time: {
      clock: { now: () => clock.now(), sleep: (ms, signal) => clock.sleep(ms, signal), after, deadline },
      scheduler: time.scheduler,
      hold: () => {
        holds++
        const release = time.hold()
        let held = true
        return () => {
          if (held) holds--
          held = false
          release()
        }
      },
      reserve: () => time.reserve(),
      schedule: (ms, work, place) => time.schedule(ms, work, place),
      deliver: () => time.deliver(),
      onStalled: (handler) => time.onStalled(handler),
      get steps() {
        return time.steps
      },
      close: () => time.close(),
    },
    left: () => ({ timers: [...timers.values()], holds }),
  }
}
