import type { SenderFrame } from './protocol.js'
import type { Sender } from './sender.js'

/** The buffers that a message gives up when it is sent. */
export type TransferOf = (message: unknown) => readonly ArrayBuffer[]

/**
 * One output joined with one input, of any number of replicas: each message goes to the replica with the most free
 * credit, the lowest index among equals. What finds no credit waits here, in order.
 */
export class Connection {
  readonly #targets: readonly Sender[]
  readonly #transferOf: TransferOf
  #backlog: unknown[] = []
  #ending: SenderFrame | undefined

  constructor(targets: readonly Sender[], transferOf: TransferOf) {
    this.#targets = targets
    this.#transferOf = transferOf
  }

  /** False once every receiver cancelled, or the last frame was posted. */
  get open(): boolean {
    return this.#targets.some((target) => target.open)
  }

  get backlog(): number {
    return this.#backlog.length
  }

  /** Whether one more message could leave at once. */
  get ready(): boolean {
    return this.#backlog.length === 0 && this.#freest() !== undefined
  }

  push(message: unknown): void {
    this.#backlog.push(message)
    this.pump()
  }

  /** Completes or fails the receivers, once everything before has left. */
  end(frame: SenderFrame): void {
    this.#ending = frame
    this.pump()
  }

  /** Sends what credit allows; messages of the backlog that go to one replica share a frame. */
  pump(): void {
    if (!this.open) this.#backlog = []
    const shares = new Map<Sender, unknown[]>()
    for (const message of this.#backlog) {
      const target = this.#freest(shares)
      if (!target) break
      const share = shares.get(target)
      if (share) share.push(message)
      else shares.set(target, [message])
    }
    let sent = 0
    for (const [target, messages] of shares) {
      target.send(messages, [...new Set(messages.flatMap((message) => this.#transferOf(message)))])
      sent += messages.length
    }
    if (sent > 0) this.#backlog = this.#backlog.slice(sent)
    if (this.#ending && this.#backlog.length === 0) for (const target of this.#targets) target.end(this.#ending)
  }

  close(): void {
    this.#backlog = []
    for (const target of this.#targets) target.close()
  }

  #freest(shares?: ReadonlyMap<Sender, readonly unknown[]>): Sender | undefined {
    let best: Sender | undefined
    let most = 0
    for (const target of this.#targets) {
      const free = target.credits - (shares?.get(target)?.length ?? 0)
      if (free > most) {
        best = target
        most = free
      }
    }
    return best
  }
}
