import { connect, createServer, type Server, type Socket } from 'node:net'
import type { Clock } from '../time/clock.js'
import { SocketWire } from './socket-wire.js'
import type { Wire } from './wire.js'

/** One end of a wire between processes, as it travels in a wiring plan: both ends are given the same. */
export interface SocketEnd {
  readonly kind: 'socket'
  /** Where one of the two listens. */
  readonly path: string
  /** Known to the two ends only. */
  readonly token: string
}

const HELLO = 'TRP1'
/** Characters of a token. */
const TOKEN_LENGTH = 32
const HELLO_LENGTH = HELLO.length + TOKEN_LENGTH
/** Connections that may wait until their token is known here. */
const MAX_WAITING = 4096

export interface SocketHubOptions {
  readonly clock: Clock
  /** Where this hub listens; one without a path only connects. */
  readonly path?: string | undefined
  /** Longest wait for a peer to come and to say its token; default 30 s. */
  readonly rendezvousMs?: number | undefined
}

/**
 * The wires of one thread or process to others. Of the two ends of a wire the one whose hub has the endpoint's path
 * waits, the other one connects and says the token; which of them comes first does not matter. A connection that says
 * no token, or one that nobody asks for in time, is dropped and counted.
 */
export class SocketHub {
  readonly #clock: Clock
  readonly #path: string | undefined
  readonly #rendezvousMs: number
  readonly #wires = new Set<SocketWire>()
  /** Wires whose peer has not come yet, and connections whose wire is not wanted yet. */
  readonly #expected = new Map<string, SocketWire>()
  readonly #waiting = new Map<string, { readonly socket: Socket; readonly head: Buffer }>()
  readonly #unknown = new Set<Socket>()
  readonly #timers = new Set<() => void>()
  #server: Server | undefined
  #drained: (() => void) | undefined
  #dropped = 0

  constructor({ clock, path, rendezvousMs = 30_000 }: SocketHubOptions) {
    this.#clock = clock
    this.#path = path
    this.#rendezvousMs = rendezvousMs
  }

  /** Connections that were no peer's. */
  get dropped(): number {
    return this.#dropped
  }

  /** Begins to listen, where the hub has a path. */
  async open(): Promise<void> {
    if (this.#path === undefined) return
    const server = createServer((socket) => this.#greet(socket))
    this.#server = server
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(this.#path, () => {
        server.off('error', reject)
        resolve()
      })
    })
    server.on('error', () => {}) // too many open files: whoever connected sees its wire close
    server.unref()
  }

  wire({ path, token }: SocketEnd): Wire {
    const wire = new SocketWire(() => this.#ended(wire, token))
    this.#wires.add(wire)
    if (path === this.#path) this.#expect(wire, token)
    else {
      const socket = connect(path)
      socket.write(HELLO + token)
      wire.attach(socket)
    }
    return wire
  }

  /** Closes all wires; resolves when everything that was posted has left, or with `E_DEADLINE`. */
  async close(deadlineMs: number): Promise<void> {
    for (const cancel of this.#timers) cancel()
    this.#server?.close()
    for (const wire of this.#expected.values()) wire.drop()
    for (const { socket } of this.#waiting.values()) socket.destroy()
    for (const socket of this.#unknown) socket.destroy()
    for (const wire of this.#wires) wire.close()
    if (this.#wires.size === 0) return
    const drained = new Promise<void>((resolve) => {
      this.#drained = resolve
    })
    try {
      await this.#clock.deadline(drained, deadlineMs, 'writing what was posted to other processes')
    } finally {
      for (const wire of this.#wires) wire.drop()
    }
  }

  #expect(wire: SocketWire, token: string): void {
    const early = this.#waiting.get(token)
    if (early) {
      this.#waiting.delete(token)
      wire.attach(early.socket, early.head)
      return
    }
    this.#expected.set(token, wire)
    this.#later(() => {
      if (this.#expected.get(token) === wire) wire.drop()
    })
  }

  /** Reads the token of whoever has connected. */
  #greet(socket: Socket): void {
    this.#unknown.add(socket)
    let head = Buffer.alloc(0)
    const leave = () => {
      this.#unknown.delete(socket)
      socket.off('data', read)
      socket.off('close', leave)
    }
    const read = (chunk: Buffer) => {
      head = Buffer.concat([head, chunk])
      if (head.length < HELLO_LENGTH) return
      leave()
      // nothing is read, and so nothing is held, for whoever is not known yet
      socket.pause()
      const [magic, token] = [
        head.toString('latin1', 0, HELLO.length),
        head.toString('latin1', HELLO.length, HELLO_LENGTH),
      ]
      if (magic === HELLO) this.#welcome(token, socket, head.subarray(HELLO_LENGTH))
      else this.#drop(socket)
    }
    socket.on('error', () => {})
    socket.on('close', leave)
    socket.on('data', read)
    this.#later(() => this.#unknown.has(socket) && this.#drop(socket))
  }

  #welcome(token: string, socket: Socket, head: Buffer): void {
    const wire = this.#expected.get(token)
    if (wire) {
      this.#expected.delete(token)
      wire.attach(socket, head)
    } else if (this.#waiting.has(token) || this.#waiting.size >= MAX_WAITING) {
      this.#drop(socket)
    } else {
      const entry = { socket, head }
      this.#waiting.set(token, entry)
      this.#later(() => {
        if (this.#waiting.get(token) !== entry) return
        this.#waiting.delete(token)
        this.#drop(socket)
      })
    }
  }

  #drop(socket: Socket): void {
    this.#dropped++
    socket.destroy()
  }

  #ended(wire: SocketWire, token: string): void {
    this.#wires.delete(wire)
    if (this.#expected.get(token) === wire) this.#expected.delete(token)
    if (this.#wires.size === 0) this.#drained?.()
  }

  #later(work: () => void): void {
    const cancel = this.#clock.after(this.#rendezvousMs, () => {
      this.#timers.delete(cancel)
      work()
    })
    this.#timers.add(cancel)
  }
}
