import * as tf from '@tensorflow/tfjs-core'
import { type LayerCache, stepAttention } from './attention.js'
import type { DecoderConfig } from './config.js'
import { bindWeights, decode, linear } from './decoder.js'
import { countWeights, wholeSequences } from './graphs.js'

/**
 * The graphs of generation read one model, or several of one architecture side by side: the weights of each, one after the
 * other, are the first inputs, and the keys and values of each the last inputs and outputs. `draw` makes of their logits
 * what a draw needs: sampling probabilities [B, V], and what gives the policy's log-probability (see {@link DrawGraph}).
 */
export type DrawGraph = (logits: readonly tf.Tensor2D[], temperature: tf.Tensor1D) => [tf.Tensor, tf.Tensor]

/** The weights of each of `models`, and the inputs after them. */
function splitModels(config: DecoderConfig, models: number, inputs: readonly tf.Tensor[]) {
  const count = countWeights(config)
  const weights = Array.from({ length: models }, (_, model) => inputs.slice(model * count, (model + 1) * count))
  return { weights, rest: inputs.slice(models * count) }
}

/**
 * Input: tokens [B, T], last [B] (flat position of each row's last token), temperature [1] → what `draw` gives, then k and v
 * of every layer.
 */
export function prefillGraph(config: DecoderConfig, draw: DrawGraph, models = 1) {
  return (inputs: tf.Tensor[]): tf.Tensor[] => {
    const { weights, rest } = splitModels(config, models, inputs)
    const [tokens, last, temperature] = rest as [tf.Tensor2D, tf.Tensor1D, tf.Tensor1D]
    const caches: LayerCache[] = []
    const logits = weights.map((own) => {
      const hidden = wholeSequences(config, own, tokens, caches)
      return linear(tf.gather(hidden, last) as tf.Tensor2D, bindWeights(config, own).head) // [B, V]
    })
    return [...draw(logits, temperature), ...caches.flatMap(({ k, v }) => [k, v])]
  }
}

/**
 * Input: tokens [B], positions [B], open [B, 1, 1, S], temperature [1], then k and v of every layer → what `draw` gives,
 * then of every layer the new k and v [B, K, 1, D] or, where the cache is `resident`, k and v with these in place.
 */
export function stepGraph(config: DecoderConfig, resident: boolean, draw: DrawGraph, models = 1) {
  return (inputs: tf.Tensor[]): tf.Tensor[] => {
    const { weights, rest } = splitModels(config, models, inputs)
    const [tokens, positions, open, temperature, ...held] = rest as [
      tf.Tensor1D,
      tf.Tensor1D,
      tf.Tensor4D,
      tf.Tensor1D,
      ...tf.Tensor4D[],
    ]
    const layers = config.numHiddenLayers
    const caches = Array.from({ length: models * layers }, (_, layer) => ({
      k: held[2 * layer]!,
      v: held[2 * layer + 1]!,
    }))
    const fresh: tf.Tensor[] = []
    const logits = weights.map((own, model) => {
      const state = { caches: caches.slice(model * layers, (model + 1) * layers), open, positions }
      const bound = bindWeights(config, own)
      const hidden = decode(config, bound, tokens, stepAttention(config, state, fresh), () => positions) // [B, C]
      return linear(hidden, bound.head)
    })
    return [...draw(logits, temperature), ...(resident ? placed(caches, fresh, positions) : fresh)]
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
export const drawOfOne: DrawGraph = ([logits], temperature) => {
  const probabilities = tf.softmax(tf.div(logits!, temperature)) as tf.Tensor2D
  const most = tf.log(tf.max(probabilities, 1))
  return [probabilities, tf.sub(tf.max(tf.logSoftmax(logits!), 1), tf.mul(most, temperature))]
}

/**
 * Of the geometric mixture of two models, proportional to π^(1−b)·μ^b: its logits are (1 − b)·x + b·y, because what
 * normalises π and μ is the same for all tokens. Gives softmax of that over T [B, V], and log π [B, V] of the first model.
 */
export function drawOfMixture(weight: number): DrawGraph {
  return ([first, second], temperature) => {
    const mixed = tf.add(tf.mul(first!, 1 - weight), tf.mul(second!, weight))
    return [tf.softmax(tf.div(mixed, temperature)), tf.logSoftmax(first!)]
  }
}
