import { TroupeError } from '../kernel/errors.js'
import type { WeightStore } from '../tensor/weights.js'
import type { Clock } from '../time/clock.js'

/** What a bridge needs of a wire. */
interface Carrier {
  post(frame: unknown, transfer?: readonly ArrayBuffer[]): void
  listen(handler: (raw: unknown) => void): void
  readonly closed?: ((handler: () => void) => void) | undefined
  close(): void
}

type BridgeFrame =
  | { readonly type: 'weights'; readonly version: number; readonly flat: Float32Array }
  | { readonly type: 'taken'; readonly version: number }

const NONE = -1
/** How long one look for a newer version lasts before the next one. */
const FOLLOW_MS = 30_000

/**
 * One half of a bridge between the weight stores of two processes. What is published on one side is published on the
 * other: at most one version is under way, those that came meanwhile are skipped, none goes back where it came from, and
 * what is not newer than what a store has is dropped.
 */
export class WeightsBridge {
  readonly #store: WeightStore
  readonly #carrier: Carrier
  readonly #clock: Clock
  readonly #over = new AbortController()
  /** The newest version that the other side has, or is about to have. */
  #peerHas = NONE
  #underWay = NONE
  #taken: (() => void)[] = []

  constructor(store: WeightStore, carrier: Carrier, clock: Clock) {
    this.#store = store
    this.#carrier = carrier
    this.#clock = clock
    carrier.closed?.(() => this.close())
    carrier.listen((raw) => this.#receive(raw))
    void this.#follow()
  }

  /** Resolves once the other side has every version that this one has; at once when the bridge is closed. */
  async flush(deadlineMs: number): Promise<void> {
    await this.#clock.deadline(this.#flushed(), deadlineMs, 'sending weights to another process')
  }

  close(): void {
    if (this.#over.signal.aborted) return
    this.#over.abort()
    this.#carrier.close()
    this.#wake()
  }

  get #isBehind(): boolean {
    return this.#underWay !== NONE || this.#store.version() > this.#peerHas
  }

  async #flushed(): Promise<void> {
    while (!this.#over.signal.aborted && this.#isBehind) await this.#nextTaken()
  }

  async #follow(): Promise<void> {
    const { signal } = this.#over
    while (!signal.aborted) {
      if (!(await this.#hasNewer())) continue
      const flat = new Float32Array(this.#store.layout.total)
      const version = this.#store.follow(flat)
      // it may have come from there while this side was waiting
      if (version <= this.#peerHas) continue
      this.#peerHas = version
      this.#underWay = version
      this.#post({ type: 'weights', version, flat }, [flat.buffer])
      while (this.#underWay !== NONE && !signal.aborted) await this.#nextTaken()
    }
  }

  async #hasNewer(): Promise<boolean> {
    try {
      await this.#store.atLeast(this.#peerHas + 1, { deadlineMs: FOLLOW_MS, signal: this.#over.signal })
      return true
    } catch (error) {
      const isLate = error instanceof TroupeError && error.code === 'E_DEADLINE'
      if (!isLate && !this.#over.signal.aborted) throw error
      return false
    }
  }

  #receive(raw: unknown): void {
    const frame = readFrame(raw, this.#store.layout.total)
    if (!frame || this.#over.signal.aborted) return
    if (frame.type === 'taken') {
      if (frame.version !== this.#underWay) return
      this.#underWay = NONE
      this.#wake()
      return
    }
    this.#peerHas = Math.max(this.#peerHas, frame.version)
    if (frame.version > this.#store.version()) this.#store.publish(frame.version, frame.flat)
    this.#post({ type: 'taken', version: frame.version })
    this.#wake()
  }

  #post(frame: BridgeFrame, transfer: readonly ArrayBuffer[] = []): void {
    this.#carrier.post(frame, transfer)
  }

  #nextTaken(): Promise<void> {
    return new Promise((resolve) => this.#taken.push(resolve))
  }

  #wake(): void {
    const waiting = this.#taken
    this.#taken = []
    for (const resolve of waiting) resolve()
  }
}

function readFrame(raw: unknown, total: number): BridgeFrame | undefined {
  const { type, version, flat } = (raw ?? {}) as Partial<BridgeFrame & { flat: unknown }>
  if (!Number.isSafeInteger(version) || (version as number) < 0) return undefined
  if (type === 'taken') return raw as BridgeFrame
  return type === 'weights' && flat instanceof Float32Array && flat.length === total ? (raw as BridgeFrame) : undefined
}
