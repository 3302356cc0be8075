import * as tf from '@tensorflow/tfjs-core'
import type { HostTensor } from '../runtime/tensor/index.js'
import { correctionsAt } from './optimizer.js'
import type { OptimizerOptions } from './types.js'

/** What one update reads and writes: the same number of tensors each. */
export interface MomentTensors {
  readonly params: readonly tf.Tensor[]
  readonly m: readonly tf.Tensor[]
  readonly v: readonly tf.Tensor[]
}

/** The numbers of one update, as the vector that {@link adamw} takes: no graph is compiled again when options change. */
export function adamwScalars(options: OptimizerOptions, step: number): HostTensor {
  const { beta1, beta2, epsilon, weightDecay, clipNorm } = options
  const { rate, stepSize, correction } = correctionsAt(options, step)
  const clip = clipNorm > 0 ? clipNorm : 3e38
  const data = [clip, beta1, 1 - beta1, beta2, 1 - beta2, stepSize, correction, epsilon, 1 - rate * weightDecay]
  return { dtype: 'float32', shape: [data.length], data: Float32Array.from(data) }
}

/**
 * AdamW after clipping to a global norm, as ops: the same arithmetic as `AdamW` on the host, in float32. When the loss or
 * a gradient is not finite, the results equal what came in, to the bit. `decayed[i]` says whether weight decay applies to
 * tensor i.
 */
export function adamw(
  state: MomentTensors,
  gradients: readonly tf.Tensor[],
  loss: tf.Tensor,
  scalars: tf.Tensor,
  decayed: readonly boolean[],
): MomentTensors & { norm: tf.Scalar } {
  const [most, beta1, rest1, beta2, rest2, stepSize, correction, epsilon, keep] = tf.unstack(scalars) as tf.Scalar[]
  const norm = tf.sqrt(tf.addN(gradients.map((gradient) => tf.sum(tf.square(gradient))))) as tf.Scalar
  const sound = tf.logicalAnd(tf.isFinite(norm), tf.isFinite(tf.reshape(loss, [])))
  const clip = tf.minimum(tf.div(most!, tf.add(norm, 1e-6)), 1)
  // An update that must not happen has decay rates and kept shares of 1 and adds 0.
  const orOne = (x: tf.Scalar) => tf.where(sound, x, 1)
  const orZero = (x: tf.Scalar) => tf.where(sound, x, 0)
  const [decay1, decay2, kept, size] = [orOne(beta1!), orOne(beta2!), orOne(keep!), orZero(stepSize!)]
  const updated = gradients.map((gradient, i) => {
    const g = tf.where(sound, tf.mul(gradient, clip), 0)
    const m = tf.add(tf.mul(state.m[i]!, decay1), tf.mul(g, rest1!))
    const v = tf.add(tf.mul(state.v[i]!, decay2), tf.mul(tf.square(g), rest2!))
    const change = tf.div(tf.mul(m, size), tf.add(tf.mul(tf.sqrt(v), correction!), epsilon!))
    const old = state.params[i]!
    return { m, v, params: tf.sub(decayed[i] ? tf.mul(old, kept) : old, change) }
  })
  return {
    params: updated.map(({ params }) => params),
    m: updated.map(({ m }) => m),
    v: updated.map(({ v }) => v),
    norm,
  }
}
