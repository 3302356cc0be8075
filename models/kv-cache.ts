import { assert } from '../runtime/kernel/errors.js'
import type { HostTensor, TensorInput } from '../runtime/tensor/compile.js'
import { MASKED } from './attention.js'
import type { BufferPool } from './buffer-pool.js'
import type { DecoderConfig } from './config.js'

/** Keys and values of whole prompts, as the prefill graph returns them: per layer k and v [R, K, T, D]. */
export interface PrefilledKeys {
  readonly length: number
  readonly tensors: readonly TensorInput[]
}

/** A sequence that takes a row: row `from` of prefilled keys, its first `length` positions. */
export interface Entering {
  readonly row: number
  readonly keys: PrefilledKeys
  readonly from: number
  readonly length: number
}

/** Keys and values of the sequences being decoded: `rows` of at most `slots` positions. */
export interface DecodeCache {
  readonly rows: number
  readonly slots: number
  /** Positions held, per row. */
  readonly lengths: Int32Array
  /** The step graph's inputs: open [B, 1, 1, S] and, per layer, k and v [B, K, S, D]. */
  inputs(): { open: HostTensor; layers: readonly TensorInput[] }
  /** Takes over what the step graph gave for the position after the last of each row; `active` rows keep it. */
  advance(active: readonly number[], outputs: readonly TensorInput[]): void
  /** A cache of this size that holds rows `keep` of this one, in that order, and those entering. This one is used up. */
  arranged(size: CacheSize, keep: readonly number[], entering: readonly Entering[]): Promise<DecodeCache>
  /** Gives its memory back; `reuse` where what it holds are numbers. The cache must not be used after. */
  release(reuse: boolean): void
}

export interface CacheSize {
  readonly rows: number
  readonly slots: number
}

/** A cache in plain typed arrays that enter the step graph without a copy: for backends that compute on the host. */
export class HostCache implements DecodeCache {
  readonly rows: number
  readonly slots: number
  readonly lengths: Int32Array
  readonly #config: DecoderConfig
  readonly #heads: number
  readonly #size: number
  /** k and v of each layer in turn. [B, K, S, D] */
  readonly #held: readonly Float32Array[]
  /** 0 where a position is held. [B, S] */
  readonly #open: Float32Array

  readonly #pool: BufferPool

  /** Positions that are not held are masked, so what the pool's arrays hold there does not matter. */
  constructor(config: DecoderConfig, { rows, slots }: CacheSize, pool: BufferPool) {
    this.#config = config
    this.#pool = pool
    this.rows = rows
    this.slots = slots
    this.#heads = config.numKeyValueHeads
    this.#size = config.headDim
    this.lengths = new Int32Array(rows)
    this.#open = new Float32Array(rows * slots).fill(MASKED)
    const total = rows * this.#heads * this.#size * slots
    this.#held = Array.from({ length: 2 * config.numHiddenLayers }, () => pool.take(total))
  }

  inputs(): { open: HostTensor; layers: HostTensor[] } {
    const [B, K, D, S] = [this.rows, this.#heads, this.#size, this.slots]
    const float32 = (shape: number[], data: Float32Array): HostTensor => ({ dtype: 'float32', shape, data })
    return {
      open: float32([B, 1, 1, S], this.#open),
      layers: this.#held.map((data) => float32([B, K, S, D], data)),
    }
  }

  advance(active: readonly number[], outputs: readonly TensorInput[]): void {
    const fresh = outputs.map(arrayOf)
    for (const row of active) this.#append(row, fresh)
  }

  /** Appends one position to `row` from the step graph's new k and v ([B, K, 1, D] per layer, k then v). */
  #append(row: number, fresh: readonly Float32Array[]): void {
    const [K, D, S] = [this.#heads, this.#size, this.slots]
    const at = this.lengths[row]!
    assert(at < S, 'the cache has room for one more position')
    this.#held.forEach((held, i) => {
      const one = fresh[i]!
      for (let head = row * K; head < (row + 1) * K; head++) {
        const to = (head * S + at) * D
        for (let d = 0; d < D; d++) held[to + d] = one[head * D + d]! // faster than a view for each head
      }
    })
    this.#open[row * S + at] = 0
    this.lengths[row] = at + 1
  }

  release(reuse: boolean): void {
    if (!reuse) return
    for (const array of this.#held) this.#pool.give(array)
  }

  async arranged(size: CacheSize, keep: readonly number[], entering: readonly Entering[]): Promise<HostCache> {
    const same = size.rows === this.rows && size.slots === this.slots
    const next = same ? this : new HostCache(this.#config, size, this.#pool)
    if (!same) {
      keep.forEach((from, row) => {
        next.#fill(row, { tensors: this.#held, row: from, slots: this.slots }, this.lengths[from]!)
      })
      this.release(true)
    }
    for (const { row, keys, from, length } of entering) {
      assert(length <= next.slots, 'a sequence fits into the cache that it enters')
      next.#fill(row, { tensors: keys.tensors.map(arrayOf), row: from, slots: keys.length }, length)
    }
    return next
  }

  #fill(row: number, from: { tensors: readonly Float32Array[]; row: number; slots: number }, length: number): void {
    const [K, D, S] = [this.#heads, this.#size, this.slots]
    this.#held.forEach((held, i) => {
      const source = from.tensors[i]!
      for (let head = 0; head < K; head++) {
        const start = (from.row * K + head) * from.slots * D
        held.set(source.subarray(start, start + length * D), (row * K + head) * S * D)
      }
    })
    this.#open.fill(0, row * S, row * S + length)
    this.#open.fill(MASKED, row * S + length, (row + 1) * S)
    this.lengths[row] = length
  }
}

function arrayOf(tensor: TensorInput | undefined): Float32Array {
  assert(tensor && 'data' in tensor, 'a cache on the host is given what lies on the host')
  return tensor.data as Float32Array
}
