import type { WireError } from '../kernel/errors.js'
import type { Clock } from '../time/clock.js'
import type { RunEvent } from './events.js'
import type { Reporter, ReportSink } from './reporter.js'

/** From an actor to the main thread; every batch is acknowledged by its sequence number once it was taken. */
export type ReportFrame =
  | { readonly type: 'events'; readonly sequence: number; readonly events: readonly RunEvent[] }
  | { readonly type: 'completed' }
  | { readonly type: 'failed'; readonly error: WireError }

export interface AckFrame {
  readonly type: 'ack'
  readonly sequence: number
}

/** What reports travel over: a `MessagePort`, or a plane of a process's own channel. */
export interface ReportPort {
  postMessage(frame: ReportFrame | AckFrame): void
  on(event: 'message', handler: (frame: unknown) => void): unknown
}

/** Events in one batch. */
const BATCH = 256
/** Batches that may be under way before the actor waits. */
const WINDOW = 8
/** Longest time that an event waits for company. */
const FLUSH_MS = 50

/** Reports over a port, in batches: at most 8 are under way, and then the actor's gate is closed until one was taken. */
export class Outbox implements Reporter {
  readonly #port: ReportPort
  readonly #clock: Clock
  readonly #onAck: () => void
  #pending: RunEvent[] = []
  #sent = 0
  #acknowledged = 0
  #flushedAt = 0
  #timer = false
  #drained: (() => void) | undefined

  constructor(port: ReportPort, options: { clock: Clock; onAck: () => void }) {
    this.#port = port
    this.#clock = options.clock
    this.#onAck = options.onAck
    port.on('message', (frame) => this.#acknowledge((frame as AckFrame).sequence))
  }

  get behind(): boolean {
    return this.#sent - this.#acknowledged >= WINDOW
  }

  emit(event: RunEvent): void {
    this.#pending.push(event)
    if (this.#pending.length >= BATCH) this.#flush()
    else this.#flushLater()
  }

  afterTurn(): void {
    if (this.#clock.now() - this.#flushedAt >= FLUSH_MS) this.#flush()
  }

  completed(): void {
    this.#last({ type: 'completed' })
  }

  failed(error: WireError): void {
    this.#last({ type: 'failed', error })
  }

  drain(): Promise<void> {
    this.#flushAll()
    if (this.#sent === this.#acknowledged) return Promise.resolve()
    return new Promise((resolve) => {
      this.#drained = resolve
    })
  }

  /** Behind everything that was emitted before. */
  #last(frame: ReportFrame): void {
    this.#flushAll()
    this.#port.postMessage(frame)
  }

  #flushAll(): void {
    while (this.#pending.length > 0) this.#post()
  }

  #flush(): void {
    while (this.#pending.length > 0 && !this.behind) this.#post()
  }

  #post(): void {
    const events = this.#pending.splice(0, BATCH)
    this.#flushedAt = this.#clock.now()
    this.#sent++
    const frame: ReportFrame = { type: 'events', sequence: this.#sent, events }
    this.#port.postMessage(frame)
  }

  #flushLater(): void {
    if (this.#timer) return
    this.#timer = true
    void this.#clock.sleep(FLUSH_MS).then(() => {
      this.#timer = false
      this.#flush()
    })
  }

  #acknowledge(sequence: number): void {
    this.#acknowledged = sequence
    if (this.#pending.length >= BATCH) this.#flush()
    if (this.#pending.length > 0) this.#flushLater()
    this.#onAck()
    if (this.#sent === sequence) this.#drained?.()
  }
}

/** The other end of an {@link Outbox}. */
export function receiveReports(port: ReportPort, sink: ReportSink): void {
  port.on('message', (raw) => {
    const frame = raw as ReportFrame
    switch (frame.type) {
      case 'events': {
        for (const event of frame.events) sink.event(event)
        const ack: AckFrame = { type: 'ack', sequence: frame.sequence }
        port.postMessage(ack)
        return
      }
      case 'completed':
        sink.completed()
        return
      case 'failed':
        sink.failed(frame.error)
        return
    }
  })
}
