import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads'
import type { WireError } from '../kernel/errors.js'
import type { CellCommit } from '../placement/commit.js'
import type { Clock } from '../time/clock.js'
import type { RunEvent } from './events.js'
import type { Reporter, ReportSink } from './reporter.js'

/** From an actor to the main thread; every batch is acknowledged by its sequence number once it was taken. */
export type ReportFrame =
  | { readonly type: 'events'; readonly sequence: number; readonly events: readonly RunEvent[] }
  | { readonly type: 'completed' }
  | { readonly type: 'failed'; readonly error: WireError }
  | { readonly type: 'taking'; readonly channel: number; readonly seq: number }
  | { readonly type: 'commit'; readonly commit: CellCommit }

export interface AckFrame {
  readonly type: 'ack'
  readonly sequence: number
}

/** Events in one batch. */
const BATCH = 256
/** Batches that may be under way before the actor waits. */
const WINDOW = 8
/** Longest time that an event waits for company. */
const FLUSH_MS = 50

/** Reports over a port, in batches: at most 8 are under way, and then the actor's gate is closed until one was taken. */
export class Outbox implements Reporter {
  readonly #port: MessagePort
  readonly #clock: Clock
  readonly #onAck: () => void
  #pending: RunEvent[] = []
  #sent = 0
  #acknowledged = 0
  #flushedAt = 0
  #timer = false
  #drained: (() => void) | undefined

  constructor(port: MessagePort, options: { clock: Clock; onAck: () => void }) {
    this.#port = port
    this.#clock = options.clock
    this.#onAck = options.onAck
    port.on('message', (frame: AckFrame) => this.#acknowledge(frame.sequence))
  }

  get behind(): boolean {
    return this.#sent - this.#acknowledged >= WINDOW
  }

  emit(event: RunEvent): void {
    this.#pending.push(event)
    if (this.#pending.length >= BATCH) this.#flush()
    else this.#flushLater()
  }

  afterTurn(now: number): void {
    if (now - this.#flushedAt >= FLUSH_MS) this.#flush()
  }

  completed(): void {
    this.#last({ type: 'completed' })
  }

  failed(error: WireError): void {
    this.#last({ type: 'failed', error })
  }

  taking(channel: number, seq: number): void {
    const frame: ReportFrame = { type: 'taking', channel, seq }
    this.#port.postMessage(frame)
  }

  /** What was posted arrives, also when this thread dies now. */
  commit(commit: CellCommit): undefined {
    const frame: ReportFrame = { type: 'commit', commit }
    this.#port.postMessage(frame)
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

/**
 * The other end of an {@link Outbox}. The returned function takes at once what has been posted and not arrived yet: when the
 * actor's thread has ended, this is all that will ever come, and must be known before anything is decided.
 */
export function receiveReports(port: MessagePort, sink: ReportSink): () => void {
  port.on('message', (frame: ReportFrame) => take(frame, port, sink))
  return () => {
    for (let next = receiveMessageOnPort(port); next; next = receiveMessageOnPort(port)) take(next.message, port, sink)
  }
}

function take(frame: ReportFrame, port: MessagePort, sink: ReportSink): void {
  switch (frame.type) {
    case 'events': {
      for (const event of frame.events) sink.event(event)
      const ack: AckFrame = { type: 'ack', sequence: frame.sequence }
      port.postMessage(ack)
      return
    }
    case 'taking':
      return sink.taking(frame.channel, frame.seq)
    case 'commit':
      return sink.commit(frame.commit)
    case 'completed':
      return sink.completed()
    case 'failed':
      return sink.failed(frame.error)
  }
}
