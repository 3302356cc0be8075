import { Observable, Subject } from 'rxjs'
import { fromWire, TroupeError } from '../kernel/errors.js'
import { hop } from '../time/hop.js'
import { readSenderFrame, refillAfter, type SenderFrame } from './protocol.js'
import type { Wire } from './wire.js'

export interface InputPortEvents {
  /** Something waits to be delivered, or somebody subscribed. */
  changed(): void
  /** The stream has ended: completed, failed or cancelled. */
  ended(): void
  /** A sender failed; its error goes to the subscribers. */
  inbound(error: Error): void
  malformed(): void
  /** A sender broke the protocol. */
  violated(error: TroupeError): void
}

export interface InputPortOptions {
  readonly channels: readonly { readonly wire: Wire; readonly window: number }[]
  /** Names the port in errors. */
  readonly where: string
  readonly events: InputPortEvents
}

interface Channel {
  readonly wire: Wire
  readonly window: number
  queued: number
  owed: number
  completed: boolean
}

type Waiting =
  | { readonly channel: Channel; readonly message: unknown }
  | { readonly channel: Channel; readonly error: Error }

/**
 * An input of an actor: all its channels merged in the order of arrival. Messages wait here until they are taken one by
 * one; a message that is taken returns its credit. Nothing is taken until somebody subscribes, and when the last
 * subscriber leaves, the senders are cancelled.
 */
export class InputPort {
  readonly kind = 'input'
  readonly name: string
  /** Bound on `depth`: the windows of all channels. */
  readonly window: number
  readonly stream: Observable<unknown>
  readonly #channels: Channel[]
  readonly #where: string
  readonly #events: InputPortEvents
  readonly #subject = new Subject<unknown>()
  #waiting: Waiting[] = []
  #subscribers = 0
  #ended = false

  constructor(name: string, options: InputPortOptions) {
    this.name = name
    this.#where = options.where
    this.#events = options.events
    this.window = options.channels.reduce((sum, { window }) => sum + window, 0)
    this.stream = new Observable((subscriber) => {
      this.#subscribers++
      const subscription = this.#subject.subscribe(subscriber)
      this.#events.changed()
      return () => {
        subscription.unsubscribe()
        this.#subscribers--
        if (this.#subscribers === 0 && !this.#ended) hop(() => this.#cancelIfUnused())
      }
    })
    this.#channels = options.channels.map((channel) => ({ ...channel, queued: 0, owed: 0, completed: false }))
  }

  /** Listens, and grants every sender its first credit. */
  open(): void {
    for (const channel of this.#channels) {
      channel.wire.listen((raw) => this.#receive(channel, raw))
      channel.wire.post({ type: 'grant', credits: channel.window })
    }
    if (this.#channels.length === 0) this.#endIfDrained()
  }

  get depth(): number {
    return this.#waiting.length
  }

  get ended(): boolean {
    return this.#ended
  }

  /** Whether {@link take} would deliver something now. */
  get waiting(): boolean {
    return this.#subscribers > 0 && this.#waiting.length > 0
  }

  /** Delivers what has waited longest to the subscribers. */
  take(): void {
    const next = this.#waiting.shift()
    if (!next) return
    if ('error' in next) {
      this.#end()
      this.#events.inbound(next.error)
      this.#subject.error(next.error)
      return
    }
    next.channel.queued--
    this.#subject.next(next.message)
    this.#giveBack(next.channel)
    this.#endIfDrained()
  }

  /** Tells the senders that nothing more is wanted; what waits is dropped. */
  cancel(): void {
    if (this.#ended) return
    this.#end()
    this.#subject.complete()
  }

  close(): void {
    for (const { wire } of this.#channels) wire.close()
    this.#waiting = []
  }

  #receive(channel: Channel, raw: unknown): void {
    const frame = readSenderFrame(raw)
    if (!frame || channel.completed) {
      this.#events.malformed()
      return
    }
    if (this.#ended) return
    this.#accept(channel, frame)
    if (channel.queued > channel.window) {
      const message = `a sender exceeded its credit of ${channel.window}`
      this.#events.violated(new TroupeError('E_CHANNEL', message, { where: this.#where }))
    }
    this.#endIfDrained()
    this.#events.changed()
  }

  #accept(channel: Channel, frame: SenderFrame): void {
    switch (frame.type) {
      case 'data':
        channel.queued++
        this.#waiting.push({ channel, message: frame.message })
        return
      case 'batch':
        channel.queued += frame.messages.length
        for (const message of frame.messages) this.#waiting.push({ channel, message })
        return
      case 'complete':
        channel.completed = true
        return
      case 'error':
        channel.completed = true
        this.#waiting.push({ channel, error: fromWire(frame.error) })
        return
    }
  }

  #giveBack(channel: Channel): void {
    if (channel.completed || this.#ended) return
    channel.owed++
    if (channel.owed < refillAfter(channel.window)) return
    channel.wire.post({ type: 'grant', credits: channel.owed })
    channel.owed = 0
  }

  #endIfDrained(): void {
    if (this.#ended || this.#waiting.length > 0 || this.#channels.some(({ completed }) => !completed)) return
    this.#end()
    this.#subject.complete()
  }

  #end(): void {
    this.#ended = true
    this.#waiting = []
    for (const { wire, completed } of this.#channels) if (!completed) wire.post({ type: 'cancel' })
    this.close()
    this.#events.ended()
  }

  #cancelIfUnused(): void {
    if (this.#subscribers === 0) this.cancel()
  }
}
