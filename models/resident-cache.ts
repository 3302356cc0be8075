import type { Compiled, DeviceTensor, HostTensor, TensorInput } from '../runtime/tensor/compile.js'
import { MASKED } from './attention.js'
import type { DecoderConfig } from './config.js'
import type { CacheSize, DecodeCache, Entering } from './kv-cache.js'

/**
 * A cache that stays on the device: the step graph gives it back with the new position in place, and rows are
 * rearranged by a graph too (`arrangeGraph`). For backends whose memory is not the host's.
 */
export class ResidentCache implements DecodeCache {
  readonly rows: number
  readonly slots: number
  readonly lengths: Int32Array
  readonly #arrange: Compiled
  /** One row of one position of zeros per layer and kind: stands in where there is no other cache to take from. */
  readonly #nothing: readonly HostTensor[]
  #layers: readonly TensorInput[]

  private constructor(size: CacheSize, arrange: Compiled, nothing: readonly HostTensor[]) {
    this.rows = size.rows
    this.slots = size.slots
    this.lengths = new Int32Array(size.rows)
    this.#arrange = arrange
    this.#nothing = nothing
    this.#layers = nothing
  }

  /** A cache that holds nothing; it takes memory when something enters. */
  static empty(config: DecoderConfig, size: CacheSize, arrange: Compiled): ResidentCache {
    const { numHiddenLayers, numKeyValueHeads: K, headDim: D } = config
    const zeros = (shape: number[]): HostTensor => ({ dtype: 'float32', shape, data: new Float32Array(K * D) })
    const nothing = Array.from({ length: 2 * numHiddenLayers }, () => zeros([1, K, 1, D]))
    return new ResidentCache(size, arrange, nothing)
  }

  inputs() {
    const { rows, slots } = this
    const open = new Float32Array(rows * slots).fill(MASKED)
    for (let row = 0; row < rows; row++) open.fill(0, row * slots, row * slots + this.lengths[row]!)
    return { open: { dtype: 'float32' as const, shape: [rows, 1, 1, slots], data: open }, layers: this.#layers }
  }

  advance(active: readonly number[], outputs: readonly TensorInput[]): void {
    freeAll(this.#layers)
    this.#layers = outputs
    for (const row of active) this.lengths[row]!++
  }

  async arranged(size: CacheSize, keep: readonly number[], entering: readonly Entering[]): Promise<ResidentCache> {
    const sources = new Map<readonly TensorInput[], Entering[]>()
    for (const one of entering) sources.set(one.keys.tensors, [...(sources.get(one.keys.tensors) ?? []), one])
    if (sources.size === 0) sources.set(this.#nothing, [])
    let cache: ResidentCache = this
    let kept = keep
    for (const [source, taken] of sources) {
      cache = await cache.#moved(size, kept, source, taken)
      kept = Array.from({ length: size.rows }, (_, row) => row)
    }
    return cache
  }

  async #moved(size: CacheSize, keep: readonly number[], source: readonly TensorInput[], taken: readonly Entering[]) {
    const next = new ResidentCache(size, this.#arrange, this.#nothing)
    const isEmpty = this.#layers === this.#nothing
    const held = isEmpty ? 1 : this.rows
    const picks = new Int32Array(size.rows)
    keep.forEach((from, row) => {
      picks[row] = isEmpty ? 0 : from
      next.lengths[row] = this.lengths[from]!
    })
    for (const { row, from, length } of taken) {
      picks[row] = held + from
      next.lengths[row] = length
    }
    const outputs = new Set(this.#layers.keys())
    const { kept } = await this.#arrange.runKept(
      [
        { dtype: 'int32', shape: [size.rows], data: picks },
        { dtype: 'int32', shape: [size.slots], data: new Int32Array(size.slots) },
        ...this.#layers,
        ...source,
      ],
      outputs,
    )
    this.release()
    next.#layers = kept
    return next
  }

  release(): void {
    freeAll(this.#layers)
    this.#layers = this.#nothing
  }
}

/** Frees those that live on a device. */
export function freeAll(tensors: readonly TensorInput[]): void {
  for (const tensor of tensors) if ('dispose' in tensor) (tensor as DeviceTensor).dispose()
}
