import type { MessagePort } from 'node:worker_threads'
import type { SocketEnd } from '../channel/socket-hub.js'
import { SocketHub } from '../channel/socket-hub.js'
import { portWire, type Wire } from '../channel/wire.js'
import type { Clock } from '../time/clock.js'

/** One end of a wire on its way to an actor: a port between threads, a socket where a process is at either side. */
export type WireEnd = { readonly kind: 'port'; readonly port: MessagePort } | SocketEnd

/** Makes wires of ends; a thread that has no wire to a process opens no socket. */
export class WireEnds {
  readonly #clock: Clock
  #hub: SocketHub | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get hub(): SocketHub {
    this.#hub ??= new SocketHub({ clock: this.#clock })
    return this.#hub
  }

  wire(end: WireEnd): Wire {
    return end.kind === 'port' ? portWire(end.port) : this.hub.wire(end)
  }

  async close(deadlineMs: number): Promise<void> {
    await this.#hub?.close(deadlineMs)
  }
}
