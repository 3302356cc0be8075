import { TroupeError } from '../runtime/kernel/errors.js'
import type { SamplingOptions } from './types.js'

/** Throws `E_CONFIG` that names the first wrong sampling option. */
export function checkSampling(options: SamplingOptions): void {
  const { temperature, topK, topP, maxNewTokens } = options
  const wrong =
    !(Number.isFinite(temperature) && temperature >= 0) ? `temperature must be 0 (greedy) or more, not ${temperature}`
    : !(Number.isSafeInteger(topK) && topK >= 0) ? `topK must be 0 (off) or a positive integer, not ${topK}`
    : !(topP > 0 && topP <= 1) ? `topP must be above 0 and at most 1 (off), not ${topP}`
    : !(Number.isSafeInteger(maxNewTokens) && maxNewTokens >= 1) ? `maxNewTokens must be a positive integer, not ${maxNewTokens}`
    : undefined
  if (wrong) throw new TroupeError('E_CONFIG', `sampling: ${wrong}`, { where: 'sampling' })
}

/** A token and its log-probability under the truncated distribution. The object is reused by the next draw. */
export interface Draw {
  token: number
  logprob: number
}

/**
 * Draws tokens from rows of probabilities: top-k, then top-p on what top-k kept (the smallest set of most probable tokens
 * whose probability reaches p, the token that crosses included; Holtzman et al. 2020), renormalised, by inverse CDF.
 * Equal probabilities rank by lower token id. Temperature is already in the probabilities. Scratch memory is kept, so
 * one sampler serves any number of rows.
 */
export class Sampler {
  readonly #topK: number
  readonly #topP: number
  readonly #greedy: boolean
  readonly #draw: Draw = { token: 0, logprob: 0 }
  #heap = new Int32Array(0)
  #kept = new Int32Array(0)

  constructor(options: SamplingOptions) {
    checkSampling(options)
    this.#topK = options.topK
    this.#topP = options.topP
    this.#greedy = options.temperature === 0
  }

  /** One token of `probabilities[start … start + size)`, at quantile `u` in [0, 1) (not called when greedy). */
  draw(probabilities: Float32Array, start: number, size: number, uniform: () => number): Draw {
    const draw = this.#draw
    if (this.#greedy) {
      draw.token = argmax(probabilities, start, size)
      draw.logprob = 0
      return draw
    }
    if (this.#topK === 0 && this.#topP === 1) {
      let total = 0
      for (let i = 0; i < size; i++) total += probabilities[start + i]!
      return this.#pick(probabilities, start, size, uniform() * total, total, undefined)
    }
    const count = this.truncate(probabilities, start, size)
    const kept = this.#kept
    let total = 0
    for (let i = 0; i < count; i++) total += probabilities[start + kept[i]!]!
    return this.#pick(probabilities, start, count, uniform() * total, total, kept)
  }

  /** The tokens that top-k and top-p keep, most probable first, in {@link kept}; returns how many. */
  truncate(probabilities: Float32Array, start: number, size: number): number {
    if (this.#heap.length < size) {
      this.#heap = new Int32Array(size)
      this.#kept = new Int32Array(size)
    }
    const heap = this.#heap
    const kept = this.#kept
    let total = 0
    for (let i = 0; i < size; i++) total += probabilities[start + i]!
    // The tokens below (1 − p) / size sum to less than 1 − p, so the others reach p without them.
    const floor = this.#topK === 0 ? (total * (1 - this.#topP)) / size : -1
    let length = 0
    for (let i = 0; i < size; i++) if (probabilities[start + i]! >= floor) heap[length++] = i
    for (let i = (length >> 1) - 1; i >= 0; i--) sift(heap, i, length, probabilities, start)
    const most = this.#topK === 0 ? length : Math.min(this.#topK, length)
    let count = 0
    let mass = 0
    // With top-k alone or first, the mass that top-p is a share of is known only after the k are taken.
    while (count < most && (this.#topK > 0 || mass < this.#topP * total)) {
      const token = heap[0]!
      heap[0] = heap[--length]!
      sift(heap, 0, length, probabilities, start)
      kept[count++] = token
      mass += probabilities[start + token]!
    }
    return this.#topK > 0 && this.#topP < 1 ? this.#nucleus(probabilities, start, count, mass) : count
  }

  /** Token ids of the last {@link truncate}, most probable first. Valid up to the count it returned. */
  get kept(): Int32Array {
    return this.#kept
  }

  #nucleus(probabilities: Float32Array, start: number, count: number, mass: number): number {
    let sum = 0
    for (let i = 0; i < count; i++) {
      sum += probabilities[start + this.#kept[i]!]!
      if (sum >= this.#topP * mass) return i + 1
    }
    return count
  }

  #pick(p: Float32Array, start: number, count: number, target: number, total: number, kept?: Int32Array): Draw {
    let sum = 0
    let token = -1
    for (let i = 0; i < count; i++) {
      const candidate = kept ? kept[i]! : i
      const probability = p[start + candidate]!
      if (probability === 0) continue
      token = candidate // the last possible one stands when rounding lets the target pass the sum
      sum += probability
      if (sum > target) break
    }
    this.#draw.token = token
    this.#draw.logprob = Math.log(p[start + token]! / total)
    return this.#draw
  }
}

/** Index of the greatest value, the lowest one of equals. */
function argmax(values: Float32Array, start: number, size: number): number {
  let best = 0
  for (let i = 1; i < size; i++) if (values[start + i]! > values[start + best]!) best = i
  return best
}

/** Moves `heap[at]` down to its place in a max-heap of token ids ordered by probability, then by lower id. */
function sift(heap: Int32Array, at: number, length: number, p: Float32Array, start: number): void {
  const token = heap[at]!
  const own = p[start + token]!
  for (;;) {
    let child = 2 * at + 1
    if (child >= length) break
    let value = p[start + heap[child]!]!
    if (child + 1 < length) {
      const other = p[start + heap[child + 1]!]!
      if (other > value || (other === value && heap[child + 1]! < heap[child]!)) {
        child++
        value = other
      }
    }
    if (own > value || (own === value && token < heap[child]!)) break
    heap[at] = heap[child]!
    at = child
  }
  heap[at] = token
}
