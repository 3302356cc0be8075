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
  /** Acknowledged where it has a sequence number. */
  | { readonly type: 'commit'; readonly commit: CellCommit; readonly sequence?: number | undefined }

export interface AckFrame {
  readonly type: 'ack' | 'committed'
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
  readonly #confirmed: boolean
  readonly #commits = new Map<number, () => void>()
  #pending: RunEvent[] = []
  #sent = 0
  #acknowledged = 0
  #flushedAt = 0
  #committed = 0
  #timer = false
  #drained: (() => void) | undefined

  /** `confirmed`: what was posted can be lost with this process, so a commit counts only once it has arrived. */
  constructor(port: ReportPort, options: { clock: Clock; onAck: () => void; confirmed?: boolean | undefined }) {
    this.#port = port
    this.#confirmed = options.confirmed ?? false
    this.#clock = options.clock
    this.#onAck = options.onAck
    port.on('message', (frame) => this.#hear(frame as AckFrame))
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
    this.#port.postMessage({ type: 'taking', channel, seq })
  }

  commit(commit: CellCommit): Promise<void> | undefined {
    if (!this.#confirmed) {
      this.#port.postMessage({ type: 'commit', commit })
      return undefined
    }
    const sequence = ++this.#committed
    return new Promise((resolve) => {
      this.#commits.set(sequence, resolve)
      this.#port.postMessage({ type: 'commit', commit, sequence })
    })
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

  #hear({ type, sequence }: AckFrame): void {
    if (type === 'ack') return void this.#acknowledge(sequence)
    this.#commits.get(sequence)?.()
    this.#commits.delete(sequence)
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
export function receiveReports(port: ReportPort, sink: ReportSink, malformed: () => void): void {
  port.on('message', (frame) => takeReport(frame, port, sink, malformed))
}

/** One frame of an {@link Outbox}, and its acknowledgement; what is none is dropped: an actor's code may reach the port. */
export function takeReport(raw: unknown, port: ReportPort, sink: ReportSink, malformed: () => void): void {
  const frame = readReport(raw)
  if (!frame) return void malformed()
  switch (frame.type) {
    case 'events':
      for (const event of frame.events) sink.event(event)
      port.postMessage({ type: 'ack', sequence: frame.sequence })
      break
    case 'taking':
      sink.taking(frame.channel, frame.seq)
      break
    case 'commit':
      sink.commit(frame.commit)
      if (frame.sequence !== undefined) port.postMessage({ type: 'committed', sequence: frame.sequence })
      break
    case 'completed':
      sink.completed()
      break
    case 'failed':
      sink.failed(frame.error)
      break
  }
}

function readReport(raw: unknown): ReportFrame | undefined {
  const frame = (raw ?? {}) as Partial<
    Record<'type' | 'events' | 'sequence' | 'error' | 'channel' | 'seq' | 'commit', unknown>
  >
  const isRead = {
    events: () => Array.isArray(frame.events) && frame.events.every(isEvent) && Number.isSafeInteger(frame.sequence),
    taking: () => Number.isSafeInteger(frame.channel) && Number.isSafeInteger(frame.seq),
    commit: () => {
      const { inputs, outputs, events } = (frame.commit ?? {}) as Partial<CellCommit>
      return typeof inputs === 'object' && typeof outputs === 'object' && Array.isArray(events) && events.every(isEvent)
    },
    completed: () => true,
    failed: () => typeof (frame.error as Partial<WireError> | undefined)?.message === 'string',
  }
  const { type } = frame
  const read = typeof type === 'string' && Object.hasOwn(isRead, type) ? isRead[type as ReportFrame['type']] : undefined
  return read?.() ? (raw as ReportFrame) : undefined
}

function isEvent(value: unknown): boolean {
  const { type, actor } = (value ?? {}) as Partial<RunEvent>
  return typeof type === 'string' && typeof actor?.name === 'string'
}
