import type comlink from 'comlink'
import { decode, encode } from '../channel/wire-codec.js'
import type { ReportPort } from '../observe/outbox.js'

/** A process's channel to the one that it was forked from, or back. */
interface Channel {
  send?(message: unknown, callback: (error: Error | null) => void): boolean
  readonly connected: boolean
  on(event: 'message', handler: (message: unknown) => void): unknown
}

interface Parcel {
  readonly plane: string
  readonly body: Uint8Array
}

/** Several planes over the one channel between a process and its host. What nobody listens to yet waits. */
export class Ipc {
  readonly #channel: Channel
  readonly #planes = new Map<string, Plane>()
  #malformed = () => {}

  constructor(channel: Channel) {
    this.#channel = channel
    channel.on('message', (message) => {
      // an actor may use the channel too: what is not ours is none of our business
      if (!isParcel(message)) return
      const value = decoded(message.body)
      if (value === NOTHING) this.#malformed()
      else this.plane(message.plane).receive(value)
    })
  }

  /** Calls `handler` for every parcel that cannot be read: it is dropped. */
  onMalformed(handler: () => void): void {
    this.#malformed = handler
  }

  plane(name: string): Plane {
    const known = this.#planes.get(name)
    if (known) return known
    const plane = new Plane((value) => this.#send(name, value))
    this.#planes.set(name, plane)
    return plane
  }

  #send(plane: string, value: unknown): void {
    const parcel: Parcel = { plane, body: encode(value, [], false).body }
    // who is gone needs no answer: its death is told otherwise
    if (this.#channel.connected) this.#channel.send?.(parcel, () => {})
  }
}

type Listener = EventListener | EventListenerObject

/** One plane: what Comlink takes for an endpoint, and reports for a port. */
export class Plane implements ReportPort, comlink.Endpoint {
  readonly #send: (value: unknown) => void
  readonly #handlers = new Map<unknown, (value: unknown) => void>()
  #early: unknown[] = []

  constructor(send: (value: unknown) => void) {
    this.#send = send
  }

  postMessage(value: unknown): void {
    this.#send(value)
  }

  on(_event: 'message', handler: (value: unknown) => void): void {
    this.#add(handler, handler)
  }

  addEventListener(_type: string, listener: Listener): void {
    this.#add(listener, (data) => {
      const event = { data } as unknown as Event
      if (typeof listener === 'function') listener(event)
      else listener.handleEvent(event)
    })
  }

  removeEventListener(_type: string, listener: Listener): void {
    this.#handlers.delete(listener)
  }

  receive(value: unknown): void {
    if (this.#handlers.size === 0) this.#early.push(value)
    else for (const handler of [...this.#handlers.values()]) handler(value)
  }

  #add(key: unknown, handler: (value: unknown) => void): void {
    this.#handlers.set(key, handler)
    const early = this.#early
    this.#early = []
    for (const value of early) handler(value)
  }
}

const NOTHING = Symbol('nothing')

function decoded(body: Uint8Array): unknown {
  try {
    return decode({ body, segments: [] })
  } catch {
    return NOTHING
  }
}

function isParcel(message: unknown): message is Parcel {
  const { plane, body } = (message ?? {}) as Partial<Parcel>
  return typeof plane === 'string' && body instanceof Uint8Array
}
