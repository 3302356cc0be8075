import * as tf from '@tensorflow/tfjs-core'
import { assert } from '../runtime/kernel/errors.js'
import type { Attend } from './attention.js'
import type { LlamaConfig } from './config.js'
import { rmsNorm, swiglu } from './ops.js'

/** The weights as tensors. C hidden, H heads, K kv heads, D head size, I intermediate. */
export interface DecoderWeights {
  /** [V, C] */
  readonly embed: tf.Tensor2D
  readonly layers: readonly LayerWeights[]
  /** [C] */
  readonly norm: tf.Tensor1D
  /** [V, C]; the embedding itself when tied. */
  readonly head: tf.Tensor2D
}

interface LayerWeights {
  readonly inputNorm: tf.Tensor1D
  /** [H·D, C] */
  readonly query: tf.Tensor2D
  /** [K·D, C] */
  readonly key: tf.Tensor2D
  /** [K·D, C] */
  readonly value: tf.Tensor2D
  /** [C, H·D] */
  readonly out: tf.Tensor2D
  readonly postNorm: tf.Tensor1D
  /** [I, C] */
  readonly gate: tf.Tensor2D
  /** [I, C] */
  readonly up: tf.Tensor2D
  /** [C, I] */
  readonly down: tf.Tensor2D
}

const PER_LAYER = 9

/** Names the tensors of `paramLayout(config)`, given in that order. */
export function bindWeights(config: LlamaConfig, tensors: readonly tf.Tensor[]): DecoderWeights {
  const layers = Array.from({ length: config.numHiddenLayers }, (_, layer): LayerWeights => {
    const at = 1 + layer * PER_LAYER
    const gain = (index: number) => tensors[at + index] as tf.Tensor1D
    const matrix = (index: number) => tensors[at + index] as tf.Tensor2D
    return {
      inputNorm: gain(0),
      query: matrix(1),
      key: matrix(2),
      value: matrix(3),
      out: matrix(4),
      postNorm: gain(5),
      gate: matrix(6),
      up: matrix(7),
      down: matrix(8),
    }
  })
  const embed = tensors[0] as tf.Tensor2D
  const norm = tensors[1 + layers.length * PER_LAYER] as tf.Tensor1D
  const head = config.tieWordEmbeddings ? embed : (tensors[2 + layers.length * PER_LAYER] as tf.Tensor2D)
  assert(embed && norm && head, 'every packed weight is given')
  return { embed, layers, norm, head }
}

/**
 * Runs the residual stream through all layers and the last norm; how positions attend to each other is the caller's.
 * tokens [N] → [N, C].
 */
export function decode(config: LlamaConfig, weights: DecoderWeights, tokens: tf.Tensor1D, attend: Attend): tf.Tensor2D {
  let x = tf.gather(weights.embed, tokens) as tf.Tensor2D // [N, C]
  weights.layers.forEach((layer, index) => {
    const normed = rmsNorm(x, layer.inputNorm, config.rmsNormEps)
    const [q, k, v] = [layer.query, layer.key, layer.value].map((w) => linear(normed, w)) as [
      tf.Tensor2D,
      tf.Tensor2D,
      tf.Tensor2D,
    ]
    x = tf.add(x, linear(attend(q, k, v, index), layer.out))
    const inner = rmsNorm(x, layer.postNorm, config.rmsNormEps)
    const gated = swiglu(linear(inner, layer.gate), linear(inner, layer.up)) // [N, I]
    x = tf.add(x, linear(gated, layer.down))
  })
  return rmsNorm(x, weights.norm, config.rmsNormEps)
}

/** x · wᵀ with w [out, in], as Hugging Face stores it. */
export function linear(x: tf.Tensor2D, w: tf.Tensor2D): tf.Tensor2D {
  return tf.matMul(x, w, false, true)
}
