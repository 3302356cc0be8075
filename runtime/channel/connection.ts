import { TroupeError, type WireError } from '../kernel/errors.js'
import type { Sender, SenderState } from './sender.js'

/** The buffers that a message gives up when it is sent. */
export type TransferOf = (message: unknown) => readonly ArrayBuffer[]

/**
 * What becomes of a message that finds no credit. `block`: it waits, and its sender is given no further turn until it has
 * left. For a sender that cannot be paced, because it emits outside of turns: as many as the window wait, and of one more
 * `drop-new` loses it, `drop-old` loses the one that has waited longest, and `fail` is its sender's failure.
 */
export type Overflow = 'block' | 'drop-new' | 'drop-old' | 'fail'

/** Messages that may wait at one connection whose sender is paced; an actor that goes past it works outside of turns. */
const MAX_BACKLOG = 65_536

export interface OverflowOptions {
  readonly overflow: Overflow
  /** Messages that may wait where the sender is not paced. */
  readonly window: number
}

type Ending = { readonly type: 'complete' } | { readonly type: 'error'; readonly error: WireError }

/** One connection of an output as it is put away. */
export interface ConnectionState {
  readonly backlog: readonly unknown[]
  readonly ending?: Ending | undefined
  readonly senders: readonly SenderState[]
}

const NONE: readonly unknown[] = []

/**
 * One output joined with one input, of any number of replicas: each message goes to the replica with the most free
 * credit, the lowest index among equals. What finds no credit waits here, in order. Messages leave with {@link flush}.
 */
export class Connection {
  readonly targets: readonly Sender[]
  readonly #transferOf: TransferOf
  readonly #overflow: OverflowOptions & { readonly where: string }
  #backlog: unknown[] = []
  #ending: Ending | undefined

  constructor(
    targets: readonly Sender[],
    transferOf: TransferOf,
    overflow: OverflowOptions & { readonly where: string },
    state?: Omit<ConnectionState, 'senders'>,
  ) {
    this.targets = targets
    this.#overflow = overflow
    this.#transferOf = transferOf
    if (!state) return
    this.#backlog = [...state.backlog]
    this.#ending = state.ending
  }

  /** False once every receiver cancelled, or the last frame is queued. */
  get open(): boolean {
    for (const target of this.targets) if (target.open) return true
    return false
  }

  /** What waits to be assigned, the end included. */
  get waiting(): number {
    return this.#backlog.length + (this.#ending && this.open ? 1 : 0)
  }

  /** Whether one more message would find credit; always where its sender is not paced. */
  get ready(): boolean {
    if (this.#overflow.overflow !== 'block') return true
    const wanted = this.#backlog.length
    if (this.targets.length === 1) return (this.targets[0] as Sender).credits > wanted
    return this.#free > wanted
  }

  /** Queues a message; returns those that are lost for it. `E_CHANNEL` where it is one too many. */
  push(message: unknown): readonly unknown[] {
    const { overflow, window, where } = this.#overflow
    this.#backlog.push(message)
    const most = overflow === 'block' ? MAX_BACKLOG : window + this.#free
    if (this.#backlog.length <= most) return NONE
    if (overflow === 'drop-new') return [this.#backlog.pop()]
    if (overflow === 'drop-old') return [this.#backlog.shift()]
    throw new TroupeError('E_CHANNEL', `more than ${most} messages wait for credit`, {
      where,
      hint:
        overflow === 'fail'
          ? 'Its receiver is too slow for a sender that does not wait for it: overflow is `fail`'
          : 'Produce with turn.generate(…), which waits for credit, or connect with another `overflow`',
    })
  }

  /** Completes or fails the receivers, once everything before has left. */
  end(ending: Ending): void {
    this.#ending = ending
  }

  /** Gives what credit allows to its replicas; nothing is posted yet. */
  assign(): void {
    if (!this.open) this.#backlog = []
    const backlog = this.#backlog
    let taken = 0
    while (taken < backlog.length) {
      const target = this.#freest()
      if (!target) break
      const message = backlog[taken++]
      target.queue(message, this.#transferOf(message))
    }
    if (taken > 0) this.#backlog = taken === backlog.length ? [] : backlog.slice(taken)
    if (!this.#ending || this.#backlog.length > 0) return
    if (this.targets.length > 1 && this.targets.some(({ mayReturn }) => mayReturn)) return
    const { type } = this.#ending
    for (const target of this.targets)
      if (type === 'error') target.end(type, this.#ending.error)
      else target.end(type)
  }

  /** Posts what is assigned; messages to one replica share a frame. */
  flush(): void {
    for (const target of this.targets) target.flush()
  }

  /** A receiver is gone for good: what it had not done goes to its siblings, first of all. */
  abandon(channel: number): void {
    for (const target of this.targets)
      if (target.channel === channel) this.#backlog = [...target.abandon(), ...this.#backlog]
  }

  close(): void {
    this.#backlog = []
    for (const target of this.targets) target.close()
  }

  putAway(): ConnectionState {
    const senders = this.targets.map((target) => target.putAway())
    return { backlog: this.#backlog, ending: this.#ending, senders }
  }

  get #free(): number {
    let free = 0
    for (const target of this.targets) free += target.credits
    return free
  }

  #freest(): Sender | undefined {
    if (this.targets.length === 1) return (this.targets[0] as Sender).credits > 0 ? this.targets[0] : undefined
    let best: Sender | undefined
    let most = 0
    for (const target of this.targets) {
      if (target.credits > most) {
        best = target
        most = target.credits
      }
    }
    return best
  }
}
