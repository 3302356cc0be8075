import type { Clock } from '../time/clock.js'
import { type EndFrame, type ReceiverFrame, readReceiverFrame, type SenderFrame } from './protocol.js'
import { afterLastWords, type Wire } from './wire.js'

/** Told by a sender: credit came or the receiver went away (`changed`), or a frame was no frame (`malformed`). */
export interface SenderEvents {
  changed(): void
  malformed(): void
}

export interface SenderOptions {
  /** Numbers the channel in its troupe. */
  readonly channel: number
  /** Buffers are copied instead of moved, so that every message can be sent again. */
  readonly keep: boolean
  /** Its siblings may have to do what it has not done: they are told of the end when nothing is left to be done. */
  readonly outlived?: boolean | undefined
  readonly clock: Clock
}

/** The sending end of one channel as it is put away: from it a restarted sender goes on. */
export interface SenderState {
  readonly channel: number
  /** Number of the first message that is not acknowledged. */
  readonly base: number
  /** Number of the first of `kept`: `base` in a whole state, what was put away before in one that only adds. */
  readonly from: number
  readonly kept: readonly unknown[]
  readonly end?: EndFrame | undefined
  readonly cancelled: boolean
}

/** A buffer that was moved away: the message cannot be sent again. */
const MOVED = Symbol('moved')

interface Kept {
  message: unknown
  readonly transfer: readonly ArrayBuffer[]
}

/**
 * The sending end of one channel. It numbers messages, never posts more than it was granted, keeps what is not
 * acknowledged, and goes on over a new wire when its receiver was restarted.
 */
export class Sender {
  readonly channel: number
  readonly #options: SenderOptions
  readonly #events: SenderEvents
  #wire: Wire | undefined
  #kept: Kept[] = []
  #base = 0
  #next = 0
  #upTo = 0
  /** Numbers below this were posted on the present wire; undefined until its receiver has said from where on. */
  #posted: number | undefined
  #end: EndFrame | undefined
  #endPosted = false
  #cancelled = false
  #putAway = 0
  #stopRepeat: (() => void) | undefined
  #repeats = 0

  constructor(options: SenderOptions, events: SenderEvents, state?: SenderState) {
    this.channel = options.channel
    this.#options = options
    this.#events = events
    if (!state) return
    this.#base = state.base
    this.#kept = state.kept.map((message) => ({ message, transfer: [] }))
    this.#next = this.#putAway = state.base + state.kept.length
    this.#end = state.end
    this.#cancelled = state.cancelled
  }

  /** Begins to speak over a wire; over a new one, everything unacknowledged is sent again. */
  attach(wire: Wire): void {
    this.#wire?.close()
    this.#wire = wire
    this.#posted = undefined
    this.#endPosted = false
    this.#repeats = 0
    wire.listen((raw) => {
      if (this.#wire === wire) this.#receive(raw)
    })
    this.#repeatLater()
  }

  /** Messages that may be queued now. */
  get credits(): number {
    return this.open ? Math.max(0, this.#upTo - this.#next) : 0
  }

  /** False once the receiver cancelled or the last frame is queued. */
  get open(): boolean {
    return !this.#cancelled && this.#end === undefined
  }

  /** Whether its messages may come back, for a sibling of its receiver. */
  get mayReturn(): boolean {
    return (this.#options.outlived ?? false) && this.unacknowledged > 0
  }

  /** Messages that the receiver has not acknowledged. */
  get unacknowledged(): number {
    return this.#next - this.#base
  }

  /** Numbers a message; it leaves with the next {@link flush}. */
  queue(message: unknown, transfer: readonly ArrayBuffer[]): void {
    this.#kept.push({ message, transfer })
    this.#next++
  }

  /** The last frame, behind all messages. */
  end(type: 'complete'): void
  end(type: 'error', error: Extract<EndFrame, { type: 'error' }>['error']): void
  end(type: EndFrame['type'], error?: Extract<EndFrame, { type: 'error' }>['error']): void {
    if (!this.open) return
    const seq = this.#next
    this.#end = type === 'complete' || !error ? { type: 'complete', seq } : { type: 'error', seq, error }
  }

  /** Posts what is queued, as one frame; throws a DataCloneError, and has then sent nothing. */
  flush(): void {
    const wire = this.#wire
    if (!wire || this.#posted === undefined || this.#cancelled) return
    if (this.#posted < this.#next) this.#post(wire, this.#posted)
    if (this.#end && !this.#endPosted && this.#base <= this.#end.seq) {
      wire.post(this.#end)
      this.#endPosted = true
    }
    // One that waits already goes on waiting: an actor that flushes often must not put it off for ever.
    if (!this.#stopRepeat) this.#repeatLater()
  }

  /** The receiver is gone for good: calls `work` when what it had acknowledged is known. */
  whenGone(work: () => void): void {
    const wire = this.#wire
    afterLastWords(wire, this.#options.clock, () => {
      if (this.#wire === wire) work()
    })
  }

  /** Takes back everything unacknowledged. */
  abandon(): unknown[] {
    const messages = this.#kept.flatMap(({ message }) => (message === MOVED ? [] : [message]))
    this.#cancel()
    return messages
  }

  close(): void {
    this.#stopRepeat?.()
    this.#cancelled = true
    this.#wire?.close()
  }

  /** What has come since the last call, and where the receiver is. */
  putAway(): SenderState {
    const from = Math.max(this.#base, this.#putAway)
    const kept = this.#kept.slice(from - this.#base).map(({ message }) => message)
    this.#putAway = this.#next
    return { channel: this.channel, base: this.#base, from, kept, end: this.#end, cancelled: this.#cancelled }
  }

  #post(wire: Wire, from: number): void {
    const entries = this.#kept.slice(from - this.#base)
    const moved = entries.findIndex(({ message }) => message === MOVED)
    if (moved >= 0) {
      if (moved > 0) this.#postFrame(wire, from, entries.slice(0, moved))
      let count = 1
      while (entries[moved + count]?.message === MOVED) count++
      wire.post({ type: 'lost', seq: from + moved, count })
      this.#posted = from + moved + count
      if (this.#posted < this.#next) this.#post(wire, this.#posted)
      return
    }
    this.#postFrame(wire, from, entries)
  }

  #postFrame(wire: Wire, seq: number, entries: readonly Kept[]): void {
    const moves = this.#options.keep ? [] : entries.filter(({ transfer }) => transfer.length > 0)
    const frame: SenderFrame =
      entries.length === 1
        ? { type: 'data', seq, message: entries[0]?.message }
        : { type: 'batch', seq, messages: entries.map(({ message }) => message) }
    if (moves.length === 0) wire.post(frame)
    else {
      wire.post(frame, [...new Set(moves.flatMap(({ transfer }) => transfer))])
      for (const entry of moves) entry.message = MOVED
    }
    this.#posted = seq + entries.length
  }

  #receive(raw: unknown): void {
    const frame = readReceiverFrame(raw)
    const known = this.#next + (this.#end ? 1 : 0)
    if (!frame || (frame.type === 'grant' && frame.acked > known)) return void this.#events.malformed()
    if (this.#cancelled) return
    this.#repeats = 0
    if (frame.type === 'cancel') this.#cancel()
    else this.#granted(frame)
    this.#events.changed()
  }

  #granted({ acked, upTo }: Extract<ReceiverFrame, { type: 'grant' }>): void {
    if (acked > this.#base) {
      this.#kept.splice(0, acked - this.#base)
      this.#base = acked
    }
    this.#upTo = Math.max(this.#upTo, upTo)
    const fresh = this.#posted === undefined
    this.#posted = fresh ? Math.min(this.#base, this.#next) : Math.max(this.#posted ?? 0, Math.min(acked, this.#next))
    if (fresh) this.flush()
    else this.#repeatLater()
  }

  #cancel(): void {
    this.close()
    this.#base = this.#next
    this.#kept = []
  }

  /** On a wire that loses frames: unless something is heard in time, everything unacknowledged is posted again. */
  #repeatLater(): void {
    const repeatMs = this.#wire?.repeatMs
    if (repeatMs === undefined) return
    this.#stopRepeat?.()
    this.#stopRepeat = undefined
    const known = this.#next + (this.#end ? 1 : 0)
    if (this.#cancelled || (this.#posted !== undefined && this.#base >= known)) return
    const wait = repeatMs * 2 ** Math.min(6, this.#repeats)
    this.#stopRepeat = this.#options.clock.after(wait, () => this.#repeat())
  }

  #repeat(): void {
    this.#stopRepeat = undefined
    this.#repeats++
    if (this.#posted === undefined || this.#base === this.#next) this.#wire?.post({ type: 'probe' })
    if (this.#posted !== undefined) this.#posted = this.#base
    this.#endPosted = false
    this.flush()
    this.#repeatLater()
  }
}
