import { Observable, Subject } from 'rxjs'
import { TroupeError } from '../kernel/errors.js'
import type { Clock } from '../time/clock.js'
import type { Scheduler } from '../time/scheduler.js'
import { Deque } from './deque.js'
import { Receiver, type ReceiverOptions, type ReceiverState } from './receiver.js'
import type { Wire } from './wire.js'

interface InputPortEvents {
  /** Something waits to be delivered, or somebody subscribed. */
  changed(): void
  /** The stream has ended: completed, failed or cancelled. */
  ended(): void
  /** A sender failed; its error goes to the subscribers. */
  inbound(error: Error): void
  malformed(): void
  /** A sender broke the protocol. */
  violated(error: TroupeError): void
  /** The actor is about to be given a message. */
  taking(channel: number, seq: number): void
  /** A message that is not given to the actor, because it has ended it too often; or `undefined`: moved buffers are lost. */
  aside(message: unknown): void
}

export interface InputPortOptions {
  readonly channels: readonly ReceiverOptions[]
  /** Names the port in errors. */
  readonly where: string
  readonly clock: Clock
  readonly scheduler: Scheduler
  readonly events: InputPortEvents
  readonly state?: InputPortState | undefined
  /** Numbers of messages that are to be set aside, by channel. */
  readonly aside?: readonly { readonly channel: number; readonly seq: number }[] | undefined
}

/** An input as it is put away. */
export interface InputPortState {
  readonly ended: boolean
  readonly receivers: readonly ReceiverState[]
  /** What waited, in its order: channel, number, moment of arrival. */
  readonly queue: readonly (readonly [channel: number, seq: number, arrivedAt: number])[]
}

interface Waiting {
  readonly receiver: Receiver
  readonly seq: number
  readonly message: unknown
  readonly error: Error | undefined
  readonly arrivedAt: number
}

/**
 * An input of an actor: all its channels merged in the order of arrival. Messages wait here until they are taken one by
 * one; what was taken is acknowledged once it is {@link done}. Nothing is taken until somebody subscribes, and when the last
 * subscriber leaves, the senders are cancelled.
 */
export class InputPort {
  readonly kind = 'input'
  readonly name: string
  /** Bound on `depth`: the windows of all channels. */
  readonly window: number
  readonly stream: Observable<unknown>
  readonly #receivers: readonly Receiver[]
  readonly #options: InputPortOptions
  readonly #subject = new Subject<unknown>()
  readonly #waiting = new Deque<Waiting>()
  readonly #aside: ReadonlySet<string>
  /** Of a restored port: what comes again is laid into its old order first. */
  #order: InputPortState['queue']
  #early: Waiting[] = []
  #subscribers = 0
  #ended: boolean
  #arriving: number | undefined

  constructor(name: string, options: InputPortOptions) {
    this.name = name
    this.#options = options
    this.#ended = options.state?.ended ?? false
    this.#order = options.state?.queue ?? []
    this.#aside = new Set((options.aside ?? []).map(({ channel, seq }) => `${channel}:${seq}`))
    this.window = options.channels.reduce((sum, { window }) => sum + window, 0)
    const states = new Map((options.state?.receivers ?? []).map((state) => [state.channel, state]))
    this.#receivers = options.channels.map(
      (channel) => new Receiver(channel, this.#eventsOfChannels(), states.get(channel.channel)),
    )
    this.stream = this.#stream()
  }

  /** Listens, and grants every sender its first credit. */
  open(): void {
    if (this.#ended) {
      for (const receiver of this.#receivers) receiver.cancel()
      this.#subject.complete()
    }
    for (const receiver of this.#receivers) receiver.open()
    if (!this.#ended) this.#endIfDrained()
  }

  /** A channel goes on over a new wire, or is complete: without one, its sender is gone for good. */
  attach(channel: number, wire: Wire | undefined): void {
    for (const receiver of this.#receivers) {
      if (receiver.channel !== channel) continue
      if (wire) receiver.attach(wire)
      else receiver.abandon(this.#options.clock)
    }
  }

  get depth(): number {
    return this.#waiting.length
  }

  get ended(): boolean {
    return this.#ended
  }

  /** When the message came that is being delivered right now. */
  get arriving(): number | undefined {
    return this.#arriving
  }

  /** Messages that came again and were dropped. */
  get doubles(): number {
    return this.#receivers.reduce((sum, { doubles }) => sum + doubles, 0)
  }

  /** Whether {@link take} would deliver something now. */
  get waiting(): boolean {
    return this.#subscribers > 0 && this.#waiting.length > 0
  }

  /** Delivers what has waited longest to the subscribers. */
  take(): void {
    const next = this.#waiting.shift()
    if (!next) return
    const { receiver, seq, message, error, arrivedAt } = next
    const { events } = this.#options
    if (error) {
      this.#end()
      events.inbound(error)
      this.#subject.error(error)
      return
    }
    receiver.take()
    if (this.#aside.size > 0 && this.#aside.has(`${receiver.channel}:${seq}`)) events.aside(message)
    else {
      events.taking(receiver.channel, seq)
      this.#arriving = arrivedAt
      this.#subject.next(message)
      this.#arriving = undefined
    }
    this.#endIfDrained()
  }

  /** Everything that was taken is done with; {@link tell} says so to the senders. */
  done(): void {
    for (const receiver of this.#receivers) receiver.done()
  }

  /** Lets the senders forget what is done, and send more; with `now` even a little. */
  tell(now = false): void {
    for (const receiver of this.#receivers) receiver.tell(now)
  }

  /** Tells the senders that nothing more is wanted; what waits is dropped. */
  cancel(): void {
    if (this.#ended) return
    this.#end()
    this.#subject.complete()
  }

  close(): void {
    for (const receiver of this.#receivers) receiver.close()
    this.#waiting.clear()
  }

  get state(): InputPortState {
    const queue = [...this.#waiting].map(({ receiver, seq, arrivedAt }) => [receiver.channel, seq, arrivedAt] as const)
    return { ended: this.#ended, receivers: this.#receivers.map(({ state }) => state), queue }
  }

  #stream(): Observable<unknown> {
    return new Observable((subscriber) => {
      this.#subscribers++
      const subscription = this.#subject.subscribe(subscriber)
      this.#options.events.changed()
      return () => {
        subscription.unsubscribe()
        this.#subscribers--
        if (this.#subscribers === 0 && !this.#ended) this.#options.scheduler.hop(() => this.#cancelIfUnused())
      }
    })
  }

  #eventsOfChannels() {
    const { events, where, clock } = this.#options
    const lay = (waiting: Waiting) => {
      if (this.#order.length === 0) this.#waiting.push(waiting)
      else this.#layInOrder(waiting)
    }
    return {
      messages: (receiver: Receiver, seq: number, messages: readonly unknown[], from: number) => {
        if (this.#ended) return
        const arrivedAt = clock.now()
        for (let i = from; i < messages.length; i++)
          lay({ receiver, seq: seq + i - from, message: messages[i], error: undefined, arrivedAt })
      },
      error: (receiver: Receiver, seq: number, error: Error) => {
        if (!this.#ended) lay({ receiver, seq, message: undefined, error, arrivedAt: clock.now() })
      },
      lost: (count: number) => {
        for (let i = 0; i < count; i++) events.aside(undefined)
      },
      settled: () => {
        this.#endIfDrained()
        events.changed()
      },
      malformed: () => events.malformed(),
      violated: (what: string) => events.violated(new TroupeError('E_CHANNEL', what, { where })),
    }
  }

  /** What waited when the port was put away comes again, from any channel first: it is queued as it was. */
  #layInOrder(waiting: Waiting): void {
    this.#early.push(waiting)
    const rank = ({ receiver, seq }: Waiting) =>
      this.#order.findIndex(([channel, number]) => channel === receiver.channel && number === seq)
    const known = this.#early.filter((each) => rank(each) >= 0)
    if (known.length < this.#order.length) return
    known.sort((a, b) => rank(a) - rank(b))
    for (const each of known) this.#waiting.push({ ...each, arrivedAt: this.#order[rank(each)]?.[2] ?? each.arrivedAt })
    const others = this.#early.filter((each) => rank(each) < 0)
    this.#order = []
    this.#early = []
    for (const each of others) this.#waiting.push(each)
  }

  #endIfDrained(): void {
    if (this.#ended || this.#waiting.length > 0 || this.#early.length > 0) return
    if (this.#receivers.some(({ completed }) => !completed)) return
    this.#end()
    this.#subject.complete()
  }

  #end(): void {
    this.#ended = true
    this.#waiting.clear()
    for (const receiver of this.#receivers) receiver.cancel()
    this.#options.events.ended()
  }

  #cancelIfUnused(): void {
    if (this.#subscribers === 0) this.cancel()
  }
}
