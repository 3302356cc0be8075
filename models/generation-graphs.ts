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
 * kT and v of every layer.
 */
export function prefillGraph(config: DecoderConfig) {
  return (inputs: tf.Tensor[]): tf.Tensor[] => {
    const { weights, rest } = splitInputs(config, inputs)
    const [tokens, last, temperature] = rest as [tf.Tensor2D, tf.Tensor1D, tf.Tensor1D]
    const caches: LayerCache[] = []
    const hidden = wholeSequences(config, inputs.slice(0, countWeights(config)), tokens, caches)
    const logits = linear(tf.gather(hidden, last) as tf.Tensor2D, weights.head) // [B, V]
    return [...distribution(logits, temperature), ...caches.flatMap(({ kT, v }) => [kT, v])]
  }
}

/**
 * Input: tokens [B], positions [B], open [B, 1, 1, S], temperature [1], then kT and v of every layer → probabilities,
 * offsets, then of every layer the new k and v [B, K, 1, D] or, where the cache is `resident`, kT and v with these in place.
 */
export function stepGraph(config: DecoderConfig, resident: boolean) {
  return (inputs: tf.Tensor[]): tf.Tensor[] => {
    const { weights, rest } = splitInputs(config, inputs)
    const [tokens, positions, open, temperature] = rest as [tf.Tensor1D, tf.Tensor1D, tf.Tensor4D, tf.Tensor1D]
    const caches = weights.layers.map((_, layer) => ({
      kT: rest[4 + 2 * layer] as tf.Tensor4D,
      v: rest[5 + 2 * layer] as tf.Tensor4D,
    }))
    const fresh: tf.Tensor[] = []
    const attend = stepAttention(config, { caches, open, positions }, fresh)
    const hidden = decode(config, weights, tokens, attend, () => positions) // [B, C]
    const drawn = distribution(linear(hidden, weights.head), temperature)
    return [...drawn, ...(resident ? placed(config, caches, fresh, positions) : fresh)]
  }
}

/** The caches with the new keys and values at each row's position. */
function placed(
  config: DecoderConfig,
  caches: readonly LayerCache[],
  fresh: readonly tf.Tensor[],
  positions: tf.Tensor1D,
): tf.Tensor[] {
  const { numKeyValueHeads: K, headDim: D } = config
  const [rows, , , slots] = caches[0]!.kT.shape
  const here = tf.equal(tf.range(0, slots, 1, 'int32'), tf.reshape(positions, [rows, 1])) // [B, S]
  return caches.flatMap(({ kT, v }, layer) => {
    const [k, value] = [fresh[2 * layer]!, fresh[2 * layer + 1]!]
    return [
      tf.where(tf.reshape(here, [rows, 1, 1, slots]), tf.reshape(k, [rows, K, D, 1]), kT),
      tf.where(tf.reshape(here, [rows, 1, slots, 1]), value, v),
    ]
  })
}

/**
 * Rearranges resident caches: rows of the old cache (kT [B, K, D, S], v [B, K, S, D] per layer) and of prefilled keys
 * ([R, K, D, T], [R, K, T, D]) become a cache of `slots` positions. Input: picks [B'] (rows of the two, one after the
 * other), slots [S'] (its length alone counts), the old cache, the prefilled keys → kT [B', K, D, S'] and v of every layer.
 */
export function arrangeGraph(inputs: tf.Tensor[]): tf.Tensor[] {
  const [picks, wanted, ...tensors] = inputs as [tf.Tensor1D, tf.Tensor1D, ...tf.Tensor4D[]]
  const half = tensors.length / 2
  const slots = wanted.shape[0]
  return Array.from({ length: half }, (_, i) => {
    const axis = i % 2 === 0 ? 3 : 2 // kT, then v
    const both = [tensors[i]!, tensors[half + i]!].map((tensor) => fitted(tensor, axis, slots))
    return tf.gather(tf.concat(both, 0), picks)
  })
}

/** `x` cut, or filled up with zeros, to `size` along one axis. */
function fitted(x: tf.Tensor4D, axis: number, size: number): tf.Tensor4D {
  const held = x.shape[axis]!
  const shape = x.shape.map((dim, i) => (i === axis ? Math.min(dim, size) : dim)) as [number, number, number, number]
  if (held > size) return tf.slice(x, [0, 0, 0, 0], shape)
  if (held === size) return x
  const more = x.shape.map((dim, i) => (i === axis ? size - held : dim))
  return tf.concat([x, tf.zeros(more as [number, number, number, number])], axis)
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
