import { readReceiverFrame, type SenderFrame } from './protocol.js'
import type { Wire } from './wire.js'

/** Told by a sender: credit came or the receiver went away (`changed`), or a frame was no frame (`malformed`). */
export interface SenderEvents {
  changed(): void
  malformed(): void
}

/** The sending end of one channel: it knows how much credit is left, and never posts more messages than that. */
export class Sender {
  readonly #wire: Wire
  readonly #events: SenderEvents
  #credits = 0
  #open = true

  constructor(wire: Wire, events: SenderEvents) {
    this.#wire = wire
    this.#events = events
  }

  /** Begins to hear from the receiver; credit that came early is delivered at once. */
  listen(): void {
    this.#wire.listen((raw) => this.#receive(raw))
  }

  /** Messages that may be posted now. */
  get credits(): number {
    return this.#open ? this.#credits : 0
  }

  /** False once the receiver cancelled or the last frame was posted. */
  get open(): boolean {
    return this.#open
  }

  /** Posts messages within the credit, as one frame; throws a DataCloneError, and has then sent nothing. */
  send(messages: readonly unknown[], transfer: readonly ArrayBuffer[]): void {
    this.#credits -= messages.length
    this.#wire.post(
      messages.length === 1 ? { type: 'data', message: messages[0] } : { type: 'batch', messages },
      transfer,
    )
  }

  /** Posts the last frame. */
  end(frame: SenderFrame): void {
    if (!this.#open) return
    this.#open = false
    this.#wire.post(frame)
  }

  close(): void {
    this.#open = false
    this.#wire.close()
  }

  #receive(raw: unknown): void {
    const frame = readReceiverFrame(raw)
    if (!frame) {
      this.#events.malformed()
      return
    }
    if (!this.#open) return
    if (frame.type === 'cancel') this.close()
    else this.#credits += frame.credits
    this.#events.changed()
  }
}
