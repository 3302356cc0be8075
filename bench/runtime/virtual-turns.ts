import { FifoLock } from '../../runtime/kernel/lock.js'
import { createVirtualTime, type VirtualTime } from '../../runtime/time/virtual.js'

export interface VirtualTurnRates {
  /** Events a second that only ask for the next one. */
  readonly events: number
  /** Rounds a second of loops that `await clock.sleep(…)`. */
  readonly sleeps: number
  /** Turns a second: the actor's lock, the begin, the end at its virtual moment, the span, the next round of its loop. */
  readonly turns: number
}

/** How many empty turns of `actors` actors, each turn of another length, the driver of virtual time gets through a second. */
export async function virtualTurnRates(actors = 1000, turns = 1_000_000): Promise<VirtualTurnRates> {
  return {
    events: await rate(turns, (time, next) => {
      for (let actor = 0; actor < actors; actor++) startEvents(time, lengthOf(actor), next)
    }),
    sleeps: await rate(turns, (time, next) => {
      for (let actor = 0; actor < actors; actor++) void sleepAgain(time, lengthOf(actor), next)
    }),
    turns: await rate(turns, (time, next) => {
      for (let actor = 0; actor < actors; actor++) void workAgain(time, lengthOf(actor), next)
    }),
  }
}

const GOLDEN = 0.618033988749895

/** Between 1 and 2 ms, so that hardly two turns end at one moment. */
function lengthOf(actor: number): number {
  return 1 + ((actor * GOLDEN) % 1)
}

/** Counts a round; false once there were enough. */
type Next = () => boolean

async function rate(total: number, start: (time: VirtualTime, next: Next) => void): Promise<number> {
  const time = createVirtualTime()
  const startedAt = performance.now()
  await new Promise<void>((resolve) => {
    let rounds = 0
    start(time, () => {
      rounds++
      if (rounds === total) resolve()
      return rounds < total
    })
  })
  const seconds = (performance.now() - startedAt) / 1000
  time.close()
  return total / seconds
}

function startEvents(time: VirtualTime, ms: number, next: Next): void {
  const again = () => {
    if (next()) time.clock.after(ms, again)
  }
  time.clock.after(ms, again)
}

async function sleepAgain(time: VirtualTime, ms: number, next: Next): Promise<void> {
  do await time.clock.sleep(ms)
  while (next())
}

async function workAgain({ clock }: VirtualTime, ms: number, next: Next): Promise<void> {
  const lock = new FifoLock()
  const spans = { turns: 0, workMs: 0 }
  const report = (span: { name: string; queuedAt: number; start: number; end: number }) => {
    spans.turns++
    spans.workMs += span.end - span.start
  }
  do {
    const queuedAt = clock.now()
    await lock.acquire()
    const start = clock.now()
    await clock.sleep(ms)
    report({ name: 'turn', queuedAt, start, end: clock.now() })
    lock.release()
  } while (next())
}
