import type { Port, Ports } from '../kernel/actor.js'
import { TroupeError, toWire } from '../kernel/errors.js'
import { Connection, type TransferOf } from './connection.js'
import { checkCrossing, cloneRefusal } from './crossing.js'
import { Sender } from './sender.js'
import type { Wire } from './wire.js'

/** Messages that may wait for credit at one connection; an actor that goes past it works outside of turns. */
const MAX_BACKLOG = 65_536

export interface OutputPortEvents {
  /** Credit came back. */
  credit(): void
  /** Every receiver has cancelled. */
  cancelled(): void
  malformed(): void
  /** A message that had waited for credit cannot cross. */
  failed(error: TroupeError): void
}

/**
 * An output of an actor. Every connection gets every message (a broadcast), and within a connection one replica does.
 * A message must not be changed after it was emitted; of one whose buffers are moved, all connections but the last get
 * a copy.
 */
export class OutputPort {
  readonly name: string
  readonly #where: string
  readonly #transferOf: TransferOf
  readonly #events: OutputPortEvents
  readonly #connections: Connection[] = []

  constructor(name: string, options: { port: Ports[string]; where: string; events: OutputPortEvents }) {
    this.name = name
    this.#where = options.where
    this.#transferOf = (options.port as Port<unknown>).transfer ?? (() => [])
    this.#events = options.events
  }

  /** Adds a connection: one wire to each replica of the receiver. */
  connect(wires: readonly Wire[]): void {
    const events = { changed: () => this.#changed(connection), malformed: () => this.#events.malformed() }
    const senders = wires.map((wire) => new Sender(wire, events))
    const connection: Connection = new Connection(senders, this.#transferOf)
    this.#connections.push(connection)
    for (const sender of senders) sender.listen()
  }

  /** Whether one more message could leave at once to every connection; true where nobody listens. */
  get ready(): boolean {
    return this.#connections.every((connection) => connection.ready || !connection.open)
  }

  /** Sends or queues a message; `E_MESSAGE` when it cannot cross, `E_CHANNEL` when too many wait. */
  emit(message: unknown): void {
    checkCrossing(message, this.#where)
    const open = this.#connections.filter((connection) => connection.open)
    const moves = open.length > 1 && this.#transferOf(message).length > 0
    try {
      open.forEach((connection, i) => {
        connection.push(moves && i < open.length - 1 ? structuredClone(message) : message)
        if (connection.backlog > MAX_BACKLOG) throw this.#overflow()
      })
    } catch (error) {
      throw error instanceof TroupeError ? error : cloneRefusal(error, this.#where)
    }
  }

  complete(): void {
    for (const connection of this.#connections) connection.end({ type: 'complete' })
  }

  fail(error: unknown): void {
    for (const connection of this.#connections) connection.end({ type: 'error', error: toWire(error) })
  }

  close(): void {
    for (const connection of this.#connections) connection.close()
  }

  #changed(connection: Connection): void {
    try {
      connection.pump()
    } catch (error) {
      this.#events.failed(cloneRefusal(error, this.#where))
    }
    if (this.#connections.every((each) => !each.open)) this.#events.cancelled()
    this.#events.credit()
  }

  #overflow(): TroupeError {
    return new TroupeError('E_CHANNEL', `more than ${MAX_BACKLOG} messages wait for credit`, {
      where: this.#where,
      hint: 'Produce with turn.generate(…), which waits for credit',
    })
  }
}
