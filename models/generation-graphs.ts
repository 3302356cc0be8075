import * as tf from '@tensorflow/tfjs-core'
import { type LayerCache, stepAttention } from './attention.js'
import type { DecoderConfig } from './config.js'
import { decode, linear } from './decoder.js'
import { countWeights, splitInputs, wholeSequences } from './graphs.js'

/** tokens [B, T], last [B] (flat position of each row's last token), inverseTemperature [1] → log π [B, V], sampling probabilities [B, V], then kT and v of every layer. */
export function prefillGraph(config: DecoderConfig) {
  return (inputs: tf.Tensor[]): tf.Tensor[] => {
    const { weights, rest } = splitInputs(config, inputs)
    const [tokens, last, inverse] = rest as [tf.Tensor2D, tf.Tensor1D, tf.Tensor1D]
    const caches: LayerCache[] = []
    const hidden = wholeSequences(config, inputs.slice(0, countWeights(config)), tokens, caches)
    const logits = linear(tf.gather(hidden, last) as tf.Tensor2D, weights.head) // [B, V]
    return [...distributions(logits, inverse), ...caches.flatMap(({ kT, v }) => [kT, v])]
  }
}

/** tokens [B], positions [B], open [B, 1, 1, S], inverseTemperature [1], then kT and v of every layer → log π [B, V], sampling probabilities [B, V], then the new k and v [B, K, 1, D] of every layer. */
export function stepGraph(config: DecoderConfig) {
  return (inputs: tf.Tensor[]): tf.Tensor[] => {
    const { weights, rest } = splitInputs(config, inputs)
    const [tokens, positions, open, inverse] = rest as [tf.Tensor1D, tf.Tensor1D, tf.Tensor4D, tf.Tensor1D]
    const caches = weights.layers.map((_, layer) => ({
      kT: rest[4 + 2 * layer] as tf.Tensor4D,
      v: rest[5 + 2 * layer] as tf.Tensor4D,
    }))
    const fresh: tf.Tensor[] = []
    const attend = stepAttention(config, { caches, open, positions }, fresh)
    const hidden = decode(config, weights, tokens, attend, () => positions) // [B, C]
    return [...distributions(linear(hidden, weights.head), inverse), ...fresh]
  }
}

function distributions(logits: tf.Tensor2D, inverseTemperature: tf.Tensor1D): tf.Tensor[] {
  return [tf.logSoftmax(logits), tf.softmax(tf.mul(logits, inverseTemperature))]
}
