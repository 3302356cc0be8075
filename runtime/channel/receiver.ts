import { fromWire } from '../kernel/errors.js'
import type { Clock } from '../time/clock.js'
import { readSenderFrame, refillAfter, type SenderFrame } from './protocol.js'
import { afterLastWords, type Wire } from './wire.js'

export interface ReceiverOptions {
  /** Numbers the channel in its troupe. */
  readonly channel: number
  readonly window: number
  readonly wire: Wire | undefined
}

/** The receiving end of one channel as it is put away. */
export interface ReceiverState {
  readonly channel: number
  /** Messages done with; the last frame counts. */
  readonly acked: number
  /** Number of the last frame, once it was received. */
  readonly end?: number | undefined
}

export interface ReceiverEvents {
  /** `messages` from index `from` on are new; `seq` is the number of the first of them. */
  messages(receiver: Receiver, seq: number, messages: readonly unknown[], from: number): void
  error(receiver: Receiver, seq: number, error: Error): void
  /** Buffers that were moved to an actor that died before it had done with them. */
  lost(count: number): void
  /** A frame has been read. */
  settled(): void
  malformed(): void
  /** The sender broke the protocol. */
  violated(what: string): void
}

/** The receiving end of one channel: it grants, drops what it has seen before, and acknowledges what was done. */
export class Receiver {
  readonly channel: number
  readonly window: number
  readonly #events: ReceiverEvents
  #wire: Wire | undefined
  /** Numbers below have come in; been taken by the actor; been done by it; been told to the sender. */
  #received = 0
  #taken = 0
  #acked = 0
  #told = -1
  #end: number | undefined
  #cancelled = false
  doubles = 0

  constructor(options: ReceiverOptions, events: ReceiverEvents, state?: ReceiverState) {
    this.channel = options.channel
    this.window = options.window
    this.#wire = options.wire
    this.#events = events
    if (!state) return
    this.#received = this.#taken = this.#acked = state.acked
    this.#end = state.end !== undefined && state.end < state.acked ? state.end : undefined
  }

  get completed(): boolean {
    return this.#end !== undefined
  }

  /** Listens, and says from where on and how far its sender may send. */
  open(): void {
    const wire = this.#wire
    if (!wire) return
    wire.listen((raw) => {
      if (this.#wire === wire) this.#receive(wire, raw)
    })
    if (this.#cancelled) wire.post({ type: 'cancel' })
    else this.#grant(wire)
  }

  /** Goes on over a new wire: its sender was restarted, and sends again what it does not know to be done. */
  attach(wire: Wire): void {
    this.#wire?.close()
    this.#wire = wire
    this.open()
  }

  /** Its sender is gone for good: what it had posted still comes, and is the end. */
  abandon(clock: Clock): void {
    const wire = this.#wire
    afterLastWords(wire, clock, () => {
      if (this.#wire !== wire) return
      if (this.#end === undefined) this.#end = this.#received
      this.close()
      this.#events.settled()
    })
  }

  /** The actor is given what has waited longest on this channel. */
  take(): void {
    this.#taken++
  }

  /** Everything taken is done with; {@link tell} says so to the sender. */
  done(): void {
    if (this.#end !== undefined && this.#taken === this.#end) this.#taken++
    this.#acked = this.#taken
  }

  /** Acknowledges what is done and grants as much again; with `now` even a little. */
  tell(now: boolean): void {
    if (this.#cancelled || !this.#wire || this.#acked === this.#told) return
    const last = this.#end !== undefined && this.#acked > this.#end
    if (now || last || this.#acked - this.#told >= refillAfter(this.window)) this.#grant(this.#wire)
  }

  /** Nothing more is wanted. */
  cancel(): void {
    if (this.completed || this.#cancelled) return
    this.#cancelled = true
    this.#wire?.post({ type: 'cancel' })
  }

  close(): void {
    this.#wire?.close()
    this.#wire = undefined
  }

  get state(): ReceiverState {
    return { channel: this.channel, acked: this.#acked, end: this.#end }
  }

  #grant(wire: Wire): void {
    this.#told = this.#acked
    wire.post({ type: 'grant', acked: this.#acked, upTo: this.#acked + this.window })
  }

  #receive(wire: Wire, raw: unknown): void {
    const frame = readSenderFrame(raw)
    if (!frame) return void this.#events.malformed()
    if (this.#cancelled) {
      if (wire.repeatMs !== undefined) wire.post({ type: 'cancel' })
      return
    }
    if (frame.type === 'probe') return void this.#grant(wire)
    if (this.#end !== undefined && frame.seq > this.#end) return void this.#events.malformed()
    if (frame.seq > this.#received) {
      // Something before it is missing: on a wire that loses frames it comes again, on any other it never will.
      if (wire.repeatMs === undefined) this.#events.violated(`number ${frame.seq} came where ${this.#received} was due`)
      return
    }
    this.#accept(wire, frame)
  }

  #accept(wire: Wire, frame: Exclude<SenderFrame, { type: 'probe' }>): void {
    const due = this.#received
    const past = due - frame.seq
    const length = frame.type === 'batch' ? frame.messages.length : frame.type === 'lost' ? frame.count : 1
    if (past >= length) {
      this.doubles += length
      if (wire.repeatMs !== undefined) this.#grant(wire)
      return
    }
    this.doubles += past
    if (frame.type !== 'complete' && frame.type !== 'error' && frame.seq + length > this.#acked + this.window) {
      this.#events.violated(`a sender exceeded its credit of ${this.window}`)
      return
    }
    this.#received = frame.seq + length
    this.#lay(frame, past)
    this.#events.settled()
  }

  #lay(frame: Exclude<SenderFrame, { type: 'probe' }>, past: number): void {
    switch (frame.type) {
      case 'data':
        this.#events.messages(this, frame.seq, [frame.message], 0)
        return
      case 'batch':
        this.#events.messages(this, frame.seq + past, frame.messages, past)
        return
      case 'lost':
        this.#taken += frame.count - past
        this.#events.lost(frame.count - past)
        return
      case 'complete':
        this.#end = frame.seq
        return
      case 'error':
        this.#end = frame.seq
        this.#events.error(this, frame.seq, fromWire(frame.error))
        return
    }
  }
}
