import type { VirtualTime } from '../time/virtual.js'
import { cloneFrame } from './clone-frame.js'
import { Deque } from './deque.js'
import type { Frame } from './protocol.js'
import type { Wire } from './wire.js'

/** A frame that is about to cross from one actor to another; `index` counts those of its direction. */
export interface Passage {
  readonly from: string
  readonly to: string
  readonly index: number
  readonly frame: Frame
}

export interface VirtualLinks {
  /** Milliseconds on the way. */
  readonly latencyMs: (passage: Passage) => number
  /** Hears of every frame that sets out. */
  readonly posted?: ((passage: Passage) => void) | undefined
  /** Of a link that loses, doubles or delays: how much later than in time each copy arrives; none when it is lost. */
  readonly tamper?: ((passage: Passage) => readonly number[]) | undefined
  /** After which time a sender on such a link repeats what was not acknowledged. */
  readonly repeatMs?: number | undefined
}

/** Frames over all wires: how many went from whom to whom, and how many are on the way. */
export class Traffic {
  readonly sent: Map<string, number>
  #underway = 0
  #whenNone: (() => void)[] = []

  /** @param sent of a run that goes on: what went from whom to whom before */
  constructor(sent: ReadonlyMap<string, number> = new Map()) {
    this.sent = new Map(sent)
  }

  get underway(): number {
    return this.#underway
  }

  /** Resolves once nothing is on the way. */
  async none(): Promise<void> {
    if (this.#underway > 0)
      await new Promise<void>((resolve) => {
        this.#whenNone.push(resolve)
      })
  }

  leaves(): void {
    this.#underway++
  }

  arrived(): void {
    if (--this.#underway === 0) for (const tell of this.#whenNone.splice(0)) tell()
  }

  /** Numbers a frame among those of its direction. */
  number(direction: string): number {
    const index = this.sent.get(direction) ?? 0
    this.sent.set(direction, index + 1)
    return index
  }
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
  readonly #direction: string
  #handler: ((raw: unknown) => void) | undefined
  #early: unknown[] = []
  #closed = false
  /** On an honest link the first one out is the first one in, however the sums of times are rounded. */
  readonly #inOrder = new Deque<unknown>()
  /** Arrival of the last frame. */
  #last = 0
  /** Frames on the way to here. */
  #coming = 0
  #isGone = false
  #onClosed: (() => void) | undefined

  constructor(time: VirtualTime, links: VirtualLinks, traffic: Traffic, from: string, to: string) {
    this.#time = time
    this.#links = links
    this.#traffic = traffic
    this.#from = from
    this.#to = to
    this.#direction = `${from}->${to}`
    this.repeatMs = links.repeatMs
  }

  post(frame: Frame, transfer: readonly ArrayBuffer[] = []): void {
    const raw = cloneFrame(frame, transfer)
    if (this.#closed || !this.peer) return
    const passage = { from: this.#from, to: this.#to, index: this.#traffic.number(this.#direction), frame }
    this.#links.posted?.(passage)
    const now = this.#time.clock.now()
    const due = now + this.#links.latencyMs(passage)
    const { tamper } = this.#links
    if (tamper) for (const later of tamper(passage)) this.#deliver(() => raw, due - now + later)
    else {
      this.#last = Math.max(this.#last, due)
      this.#inOrder.push(raw)
      this.#deliver(() => this.#inOrder.shift(), this.#last - now)
    }
  }

  listen(handler: (raw: unknown) => void): void {
    this.#handler = handler
    const early = this.#early
    this.#early = []
    for (const raw of early) handler(raw)
  }

  receive(raw: unknown): void {
    this.#coming--
    if (this.#closed) return
    if (this.#handler) this.#handler(raw)
    else this.#early.push(raw)
    this.#tellGone()
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#early = []
    this.#time.scheduler.hop(() => this.peer?.left())
  }

  closed(handler: () => void): void {
    this.#onClosed = handler
    this.#tellGone()
  }

  /** The other end is closed; what it had posted still arrives. */
  left(): void {
    this.#isGone = true
    this.#tellGone()
  }

  #tellGone(): void {
    if (this.#isGone && this.#coming === 0 && !this.#closed) this.#onClosed?.()
  }

  #deliver(next: () => unknown, afterMs: number): void {
    const { peer } = this
    if (peer) peer.#coming++
    this.#traffic.leaves()
    const arrive = () => {
      peer?.receive(next())
      this.#traffic.arrived()
    }
    if (afterMs > 0) this.#time.schedule(afterMs, arrive, this.#time.reserve())
    else this.#time.scheduler.hop(arrive)
  }
}
