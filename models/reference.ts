import { TroupeError } from '../runtime/kernel/errors.js'
import type { LanguageModel, TokenSequence } from './types.js'

/** Log-probabilities of a frozen model, taken once or every time: callers cannot tell. */
export interface Reference {
  /** Per-token log π of each completion. The arrays may be shared: do not write into them. Throws `E_DATA`. */
  logprobs(sequences: readonly TokenSequence[]): Promise<Float32Array[]>
  /** Forgets everything: call it when the model's weights were replaced. */
  clear(): void
}

/**
 * Reads a frozen model. Up to `capacity` sequences are remembered, the least recently used forgotten first; 0 computes
 * every time. With LoRA `model` is the base that is being adapted, so that no second copy of the weights exists. Throws
 * `E_CONFIG`.
 */
export function createReference(model: LanguageModel, { capacity }: { readonly capacity: number }): Reference {
  if (!Number.isSafeInteger(capacity) || capacity < 0)
    throw new TroupeError('E_CONFIG', `reference: capacity must be an integer of at least 0, not ${capacity}`)
  const known = new Map<string, Float32Array>()
  const keyOf = ({ tokens, promptLength }: TokenSequence) => `${promptLength}:${tokens.join()}`
  return {
    async logprobs(sequences) {
      if (capacity === 0) return model.logprobs(sequences)
      const keys = sequences.map(keyOf)
      const found = new Map(keys.flatMap((key) => (known.has(key) ? [[key, known.get(key)!] as const] : [])))
      const missing = new Map(sequences.flatMap((s, i) => (found.has(keys[i]!) ? [] : [[keys[i]!, s] as const])))
      const computed = missing.size > 0 ? await model.logprobs([...missing.values()]) : []
      for (const [i, key] of [...missing.keys()].entries()) found.set(key, computed[i]!)
      for (const [key, values] of found) {
        known.delete(key)
        known.set(key, values)
        if (known.size > capacity) known.delete(known.keys().next().value!)
      }
      return keys.map((key) => found.get(key)!)
    },
    clear: () => known.clear(),
  }
}
