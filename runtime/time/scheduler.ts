/**
 * Orders the runtime's own steps. Work that was handed over runs once everything that is already under way has settled,
 * pending promise reactions included, in the order in which it was handed over: a turn never overtakes the
 * consequences of the one before.
 */
export interface Scheduler {
  hop(work: () => void): void
}

/** Hops by the machine's event loop: what the machine has delivered may come before. */
export const realScheduler: Scheduler = { hop: (work) => void setImmediate(work) }

/** Longest time in which an actor hops without a look at what the machine has delivered. */
const PROMPT_MS = 1

/**
 * Hops as soon as all promise reactions have settled, without waiting for the event loop, which has its turn once a
 * millisecond: for an actor with a thread of its own, where nobody else waits for it.
 */
export function promptScheduler(): Scheduler {
  const settled = Promise.resolve()
  let waiting: (() => void)[] = []
  let awake = false
  let lookedAt = Number.NEGATIVE_INFINITY

  function wake(): void {
    awake = true
    if (performance.now() - lookedAt < PROMPT_MS) void settled.then(tick)
    else setImmediate(look)
  }

  const tick = () => process.nextTick(run)

  function look(): void {
    lookedAt = performance.now()
    run()
  }

  function run(): void {
    const work = waiting.shift() as () => void
    try {
      work()
    } finally {
      awake = false
      if (waiting.length > 0) wake()
      else waiting = []
    }
  }

  return {
    hop: (work) => {
      waiting.push(work)
      if (!awake) wake()
    },
  }
}
