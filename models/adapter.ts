import * as tf from '@tensorflow/tfjs-core'

/** A low-rank addition to a matrix [out, in]: scale · b · a, with a [rank, in] and b [out, rank]. */
export interface Adapter {
  readonly a: tf.Tensor2D
  readonly b: tf.Tensor2D
  readonly scale: number
}

const adapters = new WeakMap<tf.Tensor, Adapter>()

/** The same matrix as a tensor of its own, whose products `withAdapter` completes. Lives as long as the call or trace. */
export function adapted(weight: tf.Tensor, adapter: Adapter): tf.Tensor {
  const own = tf.clone(weight)
  adapters.set(own, adapter)
  return own
}

/** x · (w + scale · b · a)ᵀ from x · wᵀ, without that matrix or its gradient. x [N, in], product [N, out]. */
export function withAdapter(product: tf.Tensor2D, x: tf.Tensor2D, weight: tf.Tensor): tf.Tensor2D {
  const adapter = adapters.get(weight)
  if (!adapter) return product
  const low = tf.mul(tf.matMul(x, adapter.a, false, true), adapter.scale) as tf.Tensor2D // [N, rank]
  return tf.add(product, tf.matMul(low, adapter.b, false, true))
}
