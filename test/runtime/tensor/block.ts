import * as tf from '@tensorflow/tfjs-core'
import type { HostTensor, TensorFunction } from '../../../runtime/tensor/index.js'
import { normal, whole } from './support.js'

const SIZES = { rows: 3, length: 8, width: 16, heads: 4, keyHeads: 2, headDim: 4, inner: 24, vocab: 20 }
const EPSILON = 1e-5
const BETA = 0.1

const { rows, length, width, heads, keyHeads, headDim, inner, vocab } = SIZES

/** Weights of one Llama block with a tied head: embedding, norms, q, k, v, o, gate, up, down. */
const shapes = [
  [vocab, width],
  [width],
  [width, heads * headDim],
  [width, keyHeads * headDim],
  [width, keyHeads * headDim],
  [heads * headDim, width],
  [width],
  [width, inner],
  [width, inner],
  [inner, width],
]

/** Weights, tokens [B, T + 1] and reference log-probabilities of the rows [B]. */
export const blockInputs: HostTensor[] = [
  ...shapes.map((shape, i) => {
    const tensor = normal(shape, i)
    return { ...tensor, data: (tensor.data as Float32Array).map((x) => (shape.length === 1 ? 1 + x / 10 : x / 4)) }
  }),
  whole(0, vocab, [rows, length + 1]),
  normal([rows], 3),
]

function norm(x: tf.Tensor, gain: tf.Tensor): tf.Tensor {
  return tf.mul(tf.mul(x, tf.rsqrt(tf.add(tf.mean(tf.square(x), -1, true), EPSILON))), gain)
}

/** [N, D·h] → [B, h, T, D] with rotary positions. */
function split(x: tf.Tensor, count: number, rotary: boolean): tf.Tensor {
  const parts = tf.transpose(tf.reshape(x, [rows, length, count, headDim]), [0, 2, 1, 3])
  if (!rotary) return parts
  const angles = tf.outerProduct(tf.range(0, length), tf.tensor1d([1, 0.1])) as tf.Tensor
  const [cos, sin] = [tf.cos(angles), tf.sin(angles)]
  const [first, second] = tf.split(parts, 2, -1) as [tf.Tensor, tf.Tensor]
  const turned = [tf.sub(tf.mul(first, cos), tf.mul(second, sin)), tf.add(tf.mul(second, cos), tf.mul(first, sin))]
  return tf.concat(turned, -1)
}

const causal = () =>
  tf.greaterEqual(tf.reshape(tf.range(0, length), [length, 1]), tf.reshape(tf.range(0, length), [1, length]))

function repeated(x: tf.Tensor): tf.Tensor {
  const wide = tf.broadcastTo(tf.expandDims(x, 2), [rows, keyHeads, heads / keyHeads, length, headDim])
  return tf.reshape(wide, [rows, heads, length, headDim])
}

/** Log-probability of each row's tokens. [B] */
function rowLogprobs(weights: tf.Tensor[], tokens: tf.Tensor): tf.Tensor {
  const [embed, g1, wq, wk, wv, wo, g2, gate, up, down] = weights
  const inputs = tf.reshape(tf.slice(tokens, [0, 0], [rows, length]), [rows * length])
  const targets = tf.reshape(tf.slice(tokens, [0, 1], [rows, length]), [rows * length])
  let x: tf.Tensor = tf.gather(embed!, inputs)
  const h = norm(x, g1!)
  const [q, k, v] = [wq!, wk!, wv!].map((w) => tf.matMul(h, w)) as [tf.Tensor, tf.Tensor, tf.Tensor]
  const scores = tf.matMul(split(q, heads, true), repeated(split(k, keyHeads, true)), false, true)
  const masked = tf.where(causal(), tf.div(scores, Math.sqrt(headDim)), tf.scalar(-1e9))
  const mixed = tf.matMul(tf.softmax(masked), repeated(split(v, keyHeads, false)))
  const joined = tf.reshape(tf.transpose(mixed, [0, 2, 1, 3]), [rows * length, heads * headDim])
  x = tf.add(x, tf.matMul(joined, wo!))
  const m = norm(x, g2!)
  const gated = tf.matMul(m, gate!)
  x = tf.add(x, tf.matMul(tf.mul(tf.mul(gated, tf.sigmoid(gated)), tf.matMul(m, up!)), down!))
  const logprobs = tf.logSoftmax(tf.matMul(x, embed!, false, true))
  const chosen = tf.sum(tf.mul(logprobs, tf.oneHot(targets as tf.Tensor1D, vocab, 1, 0, 'float32')), -1)
  return tf.sum(tf.reshape(chosen, [rows, length]), 1)
}

/** DPO's loss with the first row chosen and the second rejected, plus the third row's negative log-likelihood. */
export const blockLoss: TensorFunction = (inputs) => {
  const weights = inputs.slice(0, shapes.length)
  const [tokens, reference] = inputs.slice(shapes.length) as [tf.Tensor, tf.Tensor]
  const { value, grads } = tf.valueAndGrads((...ws: tf.Tensor[]) => {
    const logprobs = rowLogprobs(ws, tokens)
    const [chosen, rejected, other] = tf.unstack(tf.sub(logprobs, reference)) as [tf.Tensor, tf.Tensor, tf.Tensor]
    const margin = tf.mul(tf.sub(chosen, rejected), BETA)
    return tf.sub(tf.softplus(tf.neg(margin)), tf.div(other, length)) as tf.Scalar
  })(weights)
  return [value, ...grads]
}
