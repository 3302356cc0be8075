import * as tf from '@tensorflow/tfjs-core'
import { assert } from '../runtime/kernel/errors.js'
import { withAdapter } from './adapter.js'
import type { Attend } from './attention.js'
import type { DecoderConfig } from './config.js'
import { gelu, layerNorm } from './gpt-ops.js'
import { type LayerRole, planParams } from './layout.js'
import { rmsNorm, swiglu } from './ops.js'
import { type Traits, traitsOf } from './traits.js'

/** The weights as tensors. C hidden, H heads, K kv heads, D head size, I intermediate, P positions. */
export interface DecoderWeights {
  /** [V, C] */
  readonly embed: tf.Tensor2D
  /** [P, C], where positions are learned. */
  readonly positions: tf.Tensor2D | undefined
  readonly layers: readonly LayerWeights[]
  /** [C] */
  readonly norm: tf.Tensor1D
  readonly normBias: tf.Tensor1D | undefined
  /** [V, C]; the embedding itself when tied. */
  readonly head: tf.Tensor2D
}

/** query [H·D, C], key and value [K·D, C], out [C, H·D], gate and up [I, C], down [C, I]; norms and biases by their width. */
type LayerWeights = { readonly [role in LayerRole]?: tf.Tensor }

/** Names the tensors of `paramLayout(config)`, given in that order. */
export function bindWeights(config: DecoderConfig, tensors: readonly tf.Tensor[]): DecoderWeights {
  const shared: Record<string, tf.Tensor> = {}
  const layers = Array.from({ length: config.numHiddenLayers }, (): Record<string, tf.Tensor> => ({}))
  planParams(config).forEach(({ role, layer }, index) => {
    const tensor = tensors[index]
    assert(tensor, 'every weight is given')
    const into = layer === undefined ? shared : layers[layer]
    if (into) into[role] = tensor
  })
  return {
    embed: shared.embed as tf.Tensor2D,
    positions: shared.positions as tf.Tensor2D | undefined,
    layers,
    norm: shared.norm as tf.Tensor1D,
    normBias: shared.normBias as tf.Tensor1D | undefined,
    head: (config.tieWordEmbeddings ? shared.embed : shared.head) as tf.Tensor2D,
  }
}

/**
 * Runs the residual stream through all layers and the last norm; how positions attend to each other is the caller's.
 * `positions` [N] is where each token stands, read by models with learned positions. tokens [N] → [N, C].
 */
export function decode(
  config: DecoderConfig,
  weights: DecoderWeights,
  tokens: tf.Tensor1D,
  attend: Attend,
  positions: () => tf.Tensor1D,
): tf.Tensor2D {
  const traits = traitsOf(config)
  let x: tf.Tensor2D = tf.gather(weights.embed, tokens) // [N, C]
  if (weights.positions) x = tf.add(x, positionsAt(weights.positions, positions()))
  weights.layers.forEach((layer, index) => {
    const [q, k, v] = queryKeyValue(config, traits, layer, normed(traits, x, layer.inputNorm, layer.inputNormBias))
    const attended = linear(attend(q, k, v, index), layer.out, layer.outBias)
    const before: tf.Tensor2D = traits.isParallel ? x : tf.add(x, attended)
    const inner = feedForward(traits, layer, normed(traits, before, layer.postNorm, layer.postNormBias))
    x = traits.isParallel ? tf.addN([x, attended, inner]) : tf.add(before, inner)
  })
  return normed(traits, x, weights.norm, weights.normBias)
}

/** Batches are padded beyond the model's last position; what stands there does not matter, but must be something. */
function positionsAt(table: tf.Tensor2D, places: tf.Tensor1D): tf.Tensor2D {
  return tf.gather(table, tf.minimum(places, tf.scalar(table.shape[0] - 1, 'int32')))
}

function queryKeyValue(config: DecoderConfig, traits: Traits, layer: LayerWeights, x: tf.Tensor2D) {
  const q = linear(x, layer.query, layer.queryBias)
  const k = linear(x, layer.key, layer.keyBias)
  const v = linear(x, layer.value, layer.valueBias)
  const each = (heads: tf.Tensor2D, gain: tf.Tensor | undefined): tf.Tensor2D =>
    tf.reshape(normed(traits, tf.reshape(heads, [-1, config.headDim]), gain, undefined), heads.shape)
  return traits.headNorms ? ([each(q, layer.queryNorm), each(k, layer.keyNorm), v] as const) : ([q, k, v] as const)
}

/** x [N, C] → [N, C]. */
function feedForward({ activation }: Traits, layer: LayerWeights, x: tf.Tensor2D): tf.Tensor2D {
  const up = linear(x, layer.up, layer.upBias) // [N, I]
  const inner = activation === 'silu' ? swiglu(linear(x, layer.gate, layer.gateBias), up) : gelu(up, activation)
  return linear(inner, layer.down, layer.downBias)
}

function normed(
  { norm, normEps }: Traits,
  x: tf.Tensor2D,
  gain: tf.Tensor | undefined,
  bias: tf.Tensor | undefined,
): tf.Tensor2D {
  const g = gain as tf.Tensor1D
  return norm === 'rms' ? rmsNorm(x, g, normEps) : layerNorm(x, g, bias as tf.Tensor1D, normEps)
}

/** x · wᵀ + b with w [out, in], as Hugging Face stores a `Linear`. */
export function linear(x: tf.Tensor2D, w: tf.Tensor | undefined, b?: tf.Tensor): tf.Tensor2D {
  const plain: tf.Tensor2D = tf.matMul(x, w as tf.Tensor2D, false, true)
  const product = withAdapter(plain, x, w as tf.Tensor2D)
  return b ? tf.add(product, b) : product
}
