import * as tf from '@tensorflow/tfjs-core'
import { type LayerCache, stepAttention } from './attention.js'
import type { DecoderConfig } from './config.js'
import { decode, linear } from './decoder.js'
import { countWeights, splitInputs, wholeSequences } from './graphs.js'

/**
 * The graphs of generation. Each gives, for every row, what a draw needs (see {@link distribution}): sampling
 * probabilities [B, V] and offsets [B].
 */

/**
 * Input: tokens [B, T], last [B] (flat position of each row's last token), temperature [1] → probabilities, offsets, then
 * k and v of every layer.
 */
export function prefillGraph(config: DecoderConfig) {
  return (inputs: tf.Tensor[]): tf.Tensor[] => {
    const { weights, rest } = splitInputs(config, inputs)
    const [tokens, last, temperature] = rest as [tf.Tensor2D, tf.Tensor1D, tf.Tensor1D]
    const caches: LayerCache[] = []
    const hidden = wholeSequences(config, inputs.slice(0, countWeights(config)), tokens, caches)
    const logits = linear(tf.gather(hidden, last) as tf.Tensor2D, weights.head) // [B, V]
    return [...distribution(logits, temperature), ...caches.flatMap(({ k, v }) => [k, v])]
  }
}

/**
 * Input: tokens [B], positions [B], open [B, 1, 1, S], temperature [1], then k and v of every layer → probabilities,
 * offsets, then of every layer the new k and v [B, K, 1, D] or, where the cache is `resident`, k and v with these in place.
 */
export function stepGraph(config: DecoderConfig, resident: boolean) {
  return (inputs: tf.Tensor[]): tf.Tensor[] => {
    const { weights, rest } = splitInputs(config, inputs)
    const [tokens, positions, open, temperature] = rest as [tf.Tensor1D, tf.Tensor1D, tf.Tensor4D, tf.Tensor1D]
    const caches = weights.layers.map((_, layer) => ({
      k: rest[4 + 2 * layer] as tf.Tensor4D,
      v: rest[5 + 2 * layer] as tf.Tensor4D,
    }))
    const fresh: tf.Tensor[] = []
    const attend = stepAttention(config, { caches, open, positions }, fresh)
    const hidden = decode(config, weights, tokens, attend, () => positions) // [B, C]
    const drawn = distribution(linear(hidden, weights.head), temperature)
    return [...drawn, ...(resident ? placed(caches, fresh, positions) : fresh)]
  }
}

/** The caches with the new keys and values at each row's position. */
function placed(caches: readonly LayerCache[], fresh: readonly tf.Tensor[], positions: tf.Tensor1D): tf.Tensor[] {
  const [rows, , slots] = caches[0]!.k.shape
  const here = tf.equal(tf.range(0, slots, 1, 'int32'), tf.reshape(positions, [rows, 1]))
  const isNew = tf.reshape(here, [rows, 1, slots, 1])
  return caches.flatMap(({ k, v }) => [k, v]).map((held, i) => tf.where(isNew, fresh[i]!, held)) // [B, K, S, D], a new one [B, K, 1, D]
}

/**
 * Rearranges resident caches: rows of the old cache (k and v [B, K, S, D] per layer) and of prefilled keys and values
 * ([R, K, T, D]) become a cache of `slots` positions. Input: picks [B'] (rows of the two, one after the other), slots [S']
 * (its length alone counts), the old cache, the prefilled one → k and v [B', K, S', D] of every layer.
 */
export function arrangeGraph(inputs: tf.Tensor[]): tf.Tensor[] {
  const [picks, wanted, ...tensors] = inputs as [tf.Tensor1D, tf.Tensor1D, ...tf.Tensor4D[]]
  const half = tensors.length / 2
  const slots = wanted.shape[0]
  return tensors.slice(0, half).map((old, i) => {
    const both = [old, tensors[half + i]!].map((tensor) => fitted(tensor, slots))
    return tf.gather(tf.concat(both, 0), picks)
  })
}

/** `x` [B, K, T, D] cut, or filled up with zeros, to `slots` positions. */
function fitted(x: tf.Tensor4D, slots: number): tf.Tensor4D {
  const [rows, heads, held, size] = x.shape
  if (held > slots) return tf.slice(x, [0, 0, 0, 0], [rows, heads, slots, size])
  return held === slots ? x : tf.concat([x, tf.zeros([rows, heads, slots - held, size])], 2)
}

/**
 * logits x [B, V], temperature T [1] → p = softmax(x / T) [B, V] and offsets c [B], so that the untruncated policy at
 * temperature 1 has log π = T · log p + c: c = max log softmax(x) − T · log max p. So only one matrix leaves the graph.
 */
function distribution(logits: tf.Tensor2D, temperature: tf.Tensor1D): tf.Tensor[] {
  const probabilities = tf.softmax(tf.div(logits, temperature)) as tf.Tensor2D
  const most = tf.log(tf.max(probabilities, 1))
  return [probabilities, tf.sub(tf.max(tf.logSoftmax(logits), 1), tf.mul(most, temperature))]
}
