import type { Port, Ports } from '../kernel/actor.js'
import { type TroupeError, toWire } from '../kernel/errors.js'
import type { Clock } from '../time/clock.js'
import { Connection, type ConnectionState, type OverflowOptions, type TransferOf } from './connection.js'
import { checkCrossing, cloneRefusal } from './crossing.js'
import { Sender } from './sender.js'
import type { Wire } from './wire.js'

const NOTHING: readonly ArrayBuffer[] = []

interface OutputPortEvents {
  /** Credit came back. */
  credit(): void
  /** Every receiver has cancelled. */
  cancelled(): void
  malformed(): void
  /** A message is lost for want of credit. */
  dropped(message: unknown): void
  /** A message that had waited for credit cannot cross. */
  failed(error: TroupeError): void
}

export interface OutputPortOptions {
  readonly port: Ports[string]
  readonly where: string
  readonly clock: Clock
  readonly events: OutputPortEvents
  /** What is emitted leaves only with {@link OutputPort.release}. */
  readonly held: boolean
}

/** One connection of an output: an end for each replica of its receiver; without a wire while that is being restarted. */
export interface OutputChannel {
  readonly channel: number
  readonly wire: Wire | undefined
  /** Every message must be sent again when its receiver is restarted: buffers are copied, not moved. */
  readonly keep: boolean
  /** The others may go on without its receiver. */
  readonly outlived?: boolean | undefined
}

/** An output as it is put away: what has come since the last time. */
export interface OutputPortState {
  readonly ended: boolean
  readonly connections: readonly ConnectionState[]
}

/**
 * An output of an actor. Every connection gets every message (a broadcast), and within a connection one replica does.
 * A message must not be changed after it was emitted; of one whose buffers are moved, all connections but the last get
 * a copy. Messages that are emitted in one go share a frame.
 */
export class OutputPort {
  readonly name: string
  readonly #options: OutputPortOptions
  readonly #transferOf: TransferOf
  readonly #connections: Connection[] = []
  #flushing = false
  ended = false

  constructor(name: string, options: OutputPortOptions) {
    this.name = name
    this.#options = options
    this.#transferOf = (options.port as Port<unknown>).transfer ?? (() => NOTHING)
  }

  /** Adds a connection: one channel to each replica of the receiver. */
  connect(channels: readonly OutputChannel[], overflow: OverflowOptions, state?: ConnectionState): void {
    const { clock, where } = this.#options
    const events = { changed: () => this.#changed(), malformed: () => this.#options.events.malformed() }
    const states = new Map((state?.senders ?? []).map((sender) => [sender.channel, sender]))
    const senders = channels.map(
      ({ channel, keep, outlived }) => new Sender({ channel, keep, outlived, clock }, events, states.get(channel)),
    )
    this.#connections.push(new Connection(senders, this.#transferOf, { ...overflow, where }, state))
    senders.forEach((sender, i) => {
      const wire = channels[i]?.wire
      if (wire) sender.attach(wire)
    })
  }

  /** A channel goes on over a new wire; without one its receiver is gone for good, and its siblings get what it had not done. */
  attach(channel: number, wire: Wire | undefined): void {
    const sender = this.#senders().find((each) => each.channel === channel)
    if (!sender) return
    if (wire) sender.attach(wire)
    else
      sender.whenGone(() => {
        for (const connection of this.#connections) connection.abandon(channel)
        this.#changed()
      })
  }

  /** Whether one more message would find credit at every connection; true where nobody listens. */
  get ready(): boolean {
    for (const connection of this.#connections) if (!connection.ready && connection.open) return false
    return true
  }

  /** Messages that have left and are not acknowledged, or wait for credit; and what stands behind them. */
  get pending(): number {
    let sum = 0
    for (const { waiting, targets } of this.#connections) {
      sum += waiting
      for (const { unacknowledged } of targets) sum += unacknowledged
    }
    return sum
  }

  /** Queues a message; `E_MESSAGE` when it cannot cross, `E_CHANNEL` when too many wait. */
  emit(message: unknown): void {
    checkCrossing(message, this.#options.where)
    const connections = this.#connections
    if (connections.length === 1) this.#push(connections[0] as Connection, message)
    else {
      const open = connections.filter((connection) => connection.open)
      const moves = open.length > 1 && this.#transferOf(message).length > 0
      for (const [i, connection] of open.entries())
        this.#push(connection, moves && i < open.length - 1 ? this.#copied(message) : message)
    }
    this.#flushSoon()
  }

  complete(): void {
    this.ended = true
    for (const connection of this.#connections) connection.end({ type: 'complete' })
    this.#flushSoon()
  }

  fail(error: unknown): void {
    this.ended = true
    for (const connection of this.#connections) connection.end({ type: 'error', error: toWire(error) })
    this.#flushSoon()
  }

  /** Gives what waits to the receivers that have credit; it leaves with {@link release}. */
  assign(): void {
    for (const connection of this.#connections) connection.assign()
  }

  /** Posts what is assigned. */
  release(): void {
    try {
      for (const connection of this.#connections) connection.flush()
    } catch (error) {
      this.#options.events.failed(cloneRefusal(error, this.#options.where))
    }
  }

  putAway(): OutputPortState {
    return { ended: this.ended, connections: this.#connections.map((connection) => connection.putAway()) }
  }

  close(): void {
    for (const connection of this.#connections) connection.close()
  }

  #push(connection: Connection, message: unknown): void {
    if (!connection.open) return
    for (const lost of connection.push(message)) this.#options.events.dropped(lost)
  }

  #senders(): Sender[] {
    return this.#connections.flatMap(({ targets }) => targets)
  }

  #flushSoon(): void {
    if (this.#options.held || this.#flushing) return
    this.#flushing = true
    queueMicrotask(this.#flushNow)
  }

  readonly #flushNow = () => {
    this.#flushing = false
    this.#flush()
  }

  #flush(): void {
    this.assign()
    this.release()
  }

  #changed(): void {
    const { events, held } = this.#options
    if (!held) this.#flush()
    if (this.#connections.every((each) => !each.open) && !this.ended) events.cancelled()
    events.credit()
  }

  #copied(message: unknown): unknown {
    try {
      return structuredClone(message)
    } catch (error) {
      throw cloneRefusal(error, this.#options.where)
    }
  }
}
