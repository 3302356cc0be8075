import type { RunEvent } from '../observe/events.js'
import type { WeightStore } from '../tensor/weights.js'

export interface EffectsOptions {
  /** Records, metrics and weights wait until {@link Effects.take} and {@link Effects.publish}. */
  readonly held: boolean
  /** Events of any kind wait while this is true: the turn that they belong to has not ended in virtual time. */
  readonly working: () => boolean
  readonly emit: (event: RunEvent) => void
}

/** What an actor's work does to the world besides its outputs: what it reports, and the weights that it publishes. */
export class Effects {
  readonly #options: EffectsOptions
  #ofTurn: RunEvent[] = []
  #kept: RunEvent[] = []
  #weights: { version: number; flat: Float32Array }[] = []
  #store: WeightStore | undefined

  constructor(options: EffectsOptions) {
    this.#options = options
  }

  emit(event: RunEvent): void {
    if (this.#options.working()) this.#ofTurn.push(event)
    else this.#leave(event)
  }

  /** The turn has ended, at this moment: what it reported is of now. */
  endTurn(at: number): void {
    const events = this.#ofTurn
    if (events.length > 0) {
      this.#ofTurn = []
      for (const event of events) this.#leave('at' in event ? { ...event, at } : event)
    }
    if (!this.#options.held) this.publish()
  }

  /** Records and metrics that have waited; they leave with the commit that takes them. */
  take(): readonly RunEvent[] {
    const events = this.#kept
    this.#kept = []
    return events
  }

  get waiting(): boolean {
    return this.#kept.length > 0 || this.#weights.length > 0
  }

  /** Weights that have waited become visible to everybody. */
  publish(): void {
    const weights = this.#weights
    if (weights.length === 0) return
    this.#weights = []
    for (const { version, flat } of weights) this.#store?.publish(version, flat)
  }

  /**
   * A store in which what this actor publishes becomes visible when its work does. A version that is published already is
   * no news: an actor that was restarted repeats what it had not put away.
   */
  over(store: WeightStore): WeightStore {
    this.#store = store
    const { held, working } = this.#options
    return {
      ...store,
      publish: (version, flat) => {
        if (held && version <= store.version()) return
        if (held || working()) this.#weights.push({ version, flat: flat.slice() })
        else store.publish(version, flat)
      },
    }
  }

  #leave(event: RunEvent): void {
    const waits = this.#options.held && (event.type === 'record' || event.type === 'metric')
    if (waits) this.#kept.push(event)
    else this.#options.emit(event)
  }
}
