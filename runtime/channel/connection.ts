import type { WireError } from '../kernel/errors.js'
import type { Sender, SenderState } from './sender.js'

/** The buffers that a message gives up when it is sent. */
type TransferOf = (message: unknown) => readonly ArrayBuffer[]

type Ending = { readonly type: 'complete' } | { readonly type: 'error'; readonly error: WireError }

export interface ConnectionOptions {
  readonly transferOf: TransferOf
  /** What one replica has not done may come back for its siblings, who are not told of the end before it is done. */
  readonly expendable: boolean
}

/** One connection of an output as it is put away. */
export interface ConnectionState {
  readonly backlog: readonly unknown[]
  readonly ending?: Ending | undefined
  readonly senders: readonly SenderState[]
}

/**
 * One output joined with one input, of any number of replicas: each message goes to the replica with the most free
 * credit, the lowest index among equals. What finds no credit waits here, in order. Messages leave with {@link flush}.
 */
export class Connection {
  readonly targets: readonly Sender[]
  readonly #options: ConnectionOptions
  #backlog: unknown[] = []
  #ending: Ending | undefined

  constructor(targets: readonly Sender[], options: ConnectionOptions, state?: Omit<ConnectionState, 'senders'>) {
    this.targets = targets
    this.#options = options
    if (!state) return
    this.#backlog = [...state.backlog]
    this.#ending = state.ending
  }

  /** False once every receiver cancelled, or the last frame is queued. */
  get open(): boolean {
    return this.targets.some((target) => target.open)
  }

  /** The last frame has not been queued yet. */
  get ending(): boolean {
    return this.#ending !== undefined && this.open
  }

  get backlog(): number {
    return this.#backlog.length
  }

  /** Whether one more message would find credit. */
  get ready(): boolean {
    const wanted = this.#backlog.length
    if (this.targets.length === 1) return (this.targets[0] as Sender).credits > wanted
    let free = 0
    for (const target of this.targets) free += target.credits
    return free > wanted
  }

  push(message: unknown): void {
    this.#backlog.push(message)
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
      target.queue(message, this.#options.transferOf(message))
    }
    if (taken > 0) this.#backlog = taken === backlog.length ? [] : backlog.slice(taken)
    if (!this.#ending || this.#backlog.length > 0) return
    if (this.#options.expendable && this.targets.some(({ open, unacknowledged }) => open && unacknowledged > 0)) return
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
