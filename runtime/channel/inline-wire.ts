import type { Scheduler } from '../time/scheduler.js'
import { cloneFrame } from './clone-frame.js'
import type { Frame } from './protocol.js'
import type { Wire } from './wire.js'

/** Deliveries in one burst of microtasks before other work of the process gets its chance. */
const BURST = 1024
/** Behind the last frame of an end that was closed. */
const CLOSED = Symbol('closed')

/**
 * Carries frames inside one thread as if it were two: every frame is cloned (its buffers moved), and all wires of a
 * bus deliver in the order in which frames were posted, so that a run does not depend on timing.
 */
export class InlineBus {
  readonly #scheduler: Scheduler
  #queue: { readonly to: InlineEnd; readonly raw: unknown }[] = []
  #draining = false

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler
  }

  /** Two ends of one wire. */
  pair(): readonly [Wire, Wire] {
    const left = new InlineEnd(this)
    const right = new InlineEnd(this)
    left.peer = right
    right.peer = left
    return [left, right]
  }

  enqueue(to: InlineEnd, raw: unknown): void {
    this.#queue.push({ to, raw })
    if (this.#draining) return
    this.#draining = true
    queueMicrotask(() => this.#drain())
  }

  #drain(): void {
    for (let delivered = 0; delivered < BURST; ) {
      const burst = this.#queue
      this.#queue = []
      if (burst.length === 0) {
        this.#draining = false
        return
      }
      for (const { to, raw } of burst) to.receive(raw)
      delivered += burst.length
    }
    this.#scheduler.hop(() => this.#drain())
  }
}

class InlineEnd implements Wire {
  peer: InlineEnd | undefined
  readonly #bus: InlineBus
  #handler: ((raw: unknown) => void) | undefined
  #early: unknown[] = []
  #closed = false
  #onClosed: (() => void) | undefined
  #isGone = false

  constructor(bus: InlineBus) {
    this.#bus = bus
  }

  post(frame: Frame, transfer: readonly ArrayBuffer[] = []): void {
    const raw = cloneFrame(frame, transfer)
    if (!this.#closed && this.peer) this.#bus.enqueue(this.peer, raw)
  }

  listen(handler: (raw: unknown) => void): void {
    this.#handler = handler
    const early = this.#early
    this.#early = []
    for (const raw of early) handler(raw)
  }

  receive(raw: unknown): void {
    if (this.#closed) return
    if (raw === CLOSED) {
      this.#isGone = true
      this.#onClosed?.()
    } else if (this.#handler) this.#handler(raw)
    else this.#early.push(raw)
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#early = []
    if (this.peer) this.#bus.enqueue(this.peer, CLOSED)
  }

  closed(handler: () => void): void {
    this.#onClosed = handler
    if (this.#isGone && !this.#closed) queueMicrotask(handler)
  }
}
