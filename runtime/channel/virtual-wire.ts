import type { VirtualTime } from '../time/virtual.js'
import { cloneFrame } from './clone-frame.js'
import type { Frame } from './protocol.js'
import type { Wire } from './wire.js'

/** A frame that is about to cross from one actor to another; `index` counts those of its direction. */
interface Passage {
  readonly from: string
  readonly to: string
  readonly index: number
  readonly frame: Frame
}

export interface VirtualLinks {
  /** Milliseconds on the way. */
  readonly latencyMs: (passage: Passage) => number
  /** Of a link that loses, doubles or delays: how much later than in time each copy arrives; none when it is lost. */
  readonly tamper?: ((passage: Passage) => readonly number[]) | undefined
  /** After which time a sender on such a link repeats what was not acknowledged. */
  readonly repeatMs?: number | undefined
}

/** Frames on the way, over all wires. */
export interface Traffic {
  underway: number
}

/** The two ends of a wire in virtual time. Every frame is cloned (its buffers moved), as between two threads. */
export function virtualPair(
  time: VirtualTime,
  links: VirtualLinks,
  traffic: Traffic,
  [left, right]: readonly [string, string],
): readonly [Wire, Wire] {
  const near = new VirtualEnd(time, links, traffic, left, right)
  const far = new VirtualEnd(time, links, traffic, right, left)
  near.peer = far
  far.peer = near
  return [near, far]
}

class VirtualEnd implements Wire {
  readonly repeatMs: number | undefined
  peer: VirtualEnd | undefined
  readonly #time: VirtualTime
  readonly #links: VirtualLinks
  readonly #traffic: Traffic
  readonly #from: string
  readonly #to: string
  #handler: ((raw: unknown) => void) | undefined
  #early: unknown[] = []
  #closed = false
  #index = 0
  /** Arrival of the last frame: an honest link keeps the order. */
  #last = 0

  constructor(time: VirtualTime, links: VirtualLinks, traffic: Traffic, from: string, to: string) {
    this.#time = time
    this.#links = links
    this.#traffic = traffic
    this.#from = from
    this.#to = to
    this.repeatMs = links.repeatMs
  }

  post(frame: Frame, transfer: readonly ArrayBuffer[] = []): void {
    const raw = cloneFrame(frame, transfer)
    if (this.#closed || !this.peer) return
    const passage = { from: this.#from, to: this.#to, index: this.#index++, frame }
    const now = this.#time.clock.now()
    const due = now + this.#links.latencyMs(passage)
    const { tamper } = this.#links
    if (tamper) for (const later of tamper(passage)) this.#deliver(raw, due - now + later)
    else {
      this.#last = Math.max(this.#last, due)
      this.#deliver(raw, this.#last - now)
    }
  }

  listen(handler: (raw: unknown) => void): void {
    this.#handler = handler
    const early = this.#early
    this.#early = []
    for (const raw of early) handler(raw)
  }

  receive(raw: unknown): void {
    if (this.#closed) return
    if (this.#handler) this.#handler(raw)
    else this.#early.push(raw)
  }

  close(): void {
    this.#closed = true
    this.#early = []
  }

  #deliver(raw: unknown, afterMs: number): void {
    const { peer } = this
    this.#traffic.underway++
    const arrive = () => {
      this.#traffic.underway--
      peer?.receive(raw)
    }
    if (afterMs > 0) this.#time.clock.after(afterMs, arrive)
    else this.#time.scheduler.hop(arrive)
  }
}
