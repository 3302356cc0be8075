import { AsyncLocalStorage } from 'node:async_hooks'
import { assert } from '../kernel/errors.js'
import { type Clock, late, type TimerOptions } from './clock.js'
import { EventHeap } from './event-heap.js'
import type { Scheduler } from './scheduler.js'

type Work = () => void

/**
 * Steps between two looks at the event loop (signals, I/O, wake-ups of who waits on shared memory). A count and not a
 * time: what a look brings must come at the same virtual moment in every run.
 */
const STEPS_PER_REST = 256
/**
 * Runs every promise reaction that is due, and what they bring about, before it returns: Node calls it at the end of every
 * callback of its own. It is in no documentation; without it the driver waits for a tick after each step, which settles
 * the same and takes some seven times as long (250 ns against 35 measured).
 */
const settleNow = (process as { readonly _tickCallback?: () => void })._tickCallback
/** Two, because what is woken in one look may have been put behind what the loop was doing. */
const DELIVERY_LOOKS = 2

/**
 * A thread's time, moved by events and not by the machine. See {@link createVirtualTime}.
 */
export interface VirtualTime {
  readonly clock: Clock
  readonly scheduler: Scheduler
  /**
   * Time stands still until the returned function is called: a turn is really computing, or something outside of
   * virtual time (a file that is read) must come first. Hops go on meanwhile. Releasing twice is harmless.
   */
  hold(): () => void
  /**
   * A place in the order of the events of one moment, for {@link schedule}: taken before a computation whose real
   * length nobody knows, so that of two turns that end at one moment the one that began first comes first.
   */
  reserve(): number
  /** As `clock.after`, at a reserved place, and not to be called off. A place is used once. */
  schedule(ms: number, work: () => void, place: number): void
  /**
   * Something was handed to the machine, such as a wake-up of who waits on shared memory (`Atomics.notify`): time moves
   * only after the machine has delivered it.
   */
  deliver(): void
  /**
   * Calls `handler` when nothing is held, no hop waits and no event is left but weak ones: nothing will ever happen
   * again by itself. Called at most once; a later call of `onStalled` replaces the handler.
   */
  onStalled(handler: () => void): void
  /** Events and hops that have run. */
  readonly steps: number
  /** Drops all that was to happen; nothing runs after. */
  close(): void
}

/**
 * Virtual time for all actors of one thread. Time jumps to the next event when, and only when, nothing is held, every
 * hop has run and every promise reaction has settled. Events run in the order of (time, when they were asked for), one
 * after another, each with all its consequences; so do hops, before time moves. Nothing depends on real time.
 *
 * Reactions count as settled once the microtask queue is empty, however deep promise chains nest; a rejection that nobody
 * handles until then is reported. What a turn hands to the event loop is not waited for unless time is held.
 *
 * Work that throws does what a throwing timer does: it is an uncaught exception, and time goes on where the process does.
 */
export function createVirtualTime(options: { readonly startAt?: number } = {}): VirtualTime {
  return new Driver(options.startAt ?? 0)
}

class Driver implements VirtualTime {
  readonly clock: Clock
  readonly scheduler: Scheduler
  steps = 0
  #now: number
  #place = 0
  #held = 0
  #awake = false
  #closed = false
  /** Looks at the event loop that are due before time moves. */
  #looks = 0
  #untilRest = STEPS_PER_REST
  #stalled: Work | undefined
  readonly #heap = new EventHeap()
  /** Hops come in at `#back` and go out at `#front`; the two change places when `#front` is used up. */
  #front: Work[] = []
  #frontAt = 0
  #back: Work[] = []
  /** The driver must not run as a part of whichever actor happened to wake it. */
  readonly #outside = AsyncLocalStorage.snapshot()
  readonly #settled = Promise.resolve()
  /** From a microtask, a tick waits for the whole microtask queue; from a tick it would not. */
  readonly #tick = () => process.nextTick(this.#step)
  readonly #step = () => this.#runNext()

  constructor(startAt: number) {
    this.#now = startAt
    this.clock = {
      now: () => this.#now,
      sleep: (ms, signal) => this.#sleep(ms, signal),
      after: (ms, work, options) => this.#after(ms, work, this.reserve(), options),
      deadline: (work, ms, what) => this.#deadline(work, ms, what),
    }
    this.scheduler = { hop: (work) => this.#hop(work) }
  }

  hold(): () => void {
    this.#held++
    this.#look(1)
    let holds = true
    return () => {
      if (!holds) return
      holds = false
      this.#held--
      if (this.#held === 0) this.#wake()
    }
  }

  reserve(): number {
    return this.#place++
  }

  deliver(): void {
    this.#look(DELIVERY_LOOKS)
  }

  schedule(ms: number, work: () => void, place: number): void {
    this.#push(ms, work, place, false)
  }

  onStalled(handler: () => void): void {
    this.#stalled = handler
    this.#wake()
  }

  close(): void {
    this.#closed = true
  }

  /**
   * Once after every hold too: whether the loop was looked at while time stood still depends on how fast the machine
   * is, and what follows from a look must not.
   */
  #look(times: number): void {
    this.#looks = Math.max(this.#looks, times)
  }

  #hop(work: Work): void {
    this.#back.push(work)
    this.#wake()
  }

  #after(ms: number, work: Work, place: number, options?: TimerOptions): () => void {
    const slot = this.#push(ms, work, place, options?.weak ?? false)
    return () => this.#heap.cancel(slot, place)
  }

  #push(ms: number, work: Work, place: number, weak: boolean): number {
    assert(Number.isFinite(ms), 'virtual time is finite')
    const slot = this.#heap.push(ms > 0 ? this.#now + ms : this.#now, place, work, weak)
    if (!this.#awake) this.#wake()
    return slot
  }

  #sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
    if (!signal) {
      return new Promise((resolve) => {
        this.#push(ms, resolve, this.#place++, false)
      })
    }
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason)
      const onAbort = () => {
        cancel()
        reject(signal.reason)
      }
      const cancel = this.clock.after(ms, () => {
        signal.removeEventListener('abort', onAbort)
        resolve()
      })
      signal.addEventListener('abort', onAbort, { once: true })
    })
  }

  #deadline<T>(work: Promise<T>, ms: number, what: string): Promise<T> {
    return new Promise((resolve, reject) => {
      const cancel = this.clock.after(ms, () => reject(late(ms, what)))
      work.then(resolve, reject)
      work.then(cancel, cancel)
    })
  }

  #wake(): void {
    if (this.#awake || this.#closed) return
    this.#awake = true
    this.#outside(() => this.#settled.then(this.#tick))
  }

  #runNext(): void {
    while (!this.#closed) {
      const work = this.#next()
      if (!work) return
      this.steps++
      let settled = false
      try {
        work()
        settleNow?.()
        settled = settleNow !== undefined
      } finally {
        if (--this.#untilRest <= 0) {
          settled = false
          this.#rest()
        } else if (!settled) void this.#settled.then(this.#tick)
      }
      if (!settled) return
    }
  }

  /** What comes next; nothing where time stands still, or goes on later. */
  #next(): Work | undefined {
    const hop = this.#nextHop()
    if (hop) return hop
    if (this.#held > 0) this.#awake = false
    else if (this.#looks > 0) {
      this.#looks--
      this.#rest()
    } else if (this.#heap.strong > 0) {
      const work = this.#heap.pop()!
      this.#now = this.#heap.time
      return work
    } else this.#sleepOn()
    return undefined
  }

  /** Goes on after a look at the event loop. */
  #rest(): void {
    this.#untilRest = STEPS_PER_REST
    setImmediate(this.#step)
  }

  #sleepOn(): void {
    this.#awake = false
    const stalled = this.#stalled
    this.#stalled = undefined
    stalled?.()
  }

  #nextHop(): Work | undefined {
    if (this.#frontAt === this.#front.length) {
      if (this.#back.length === 0) return undefined
      const used = this.#front
      used.length = 0
      this.#front = this.#back
      this.#back = used
      this.#frontAt = 0
    }
    return this.#front[this.#frontAt++]
  }
}
