import * as tf from '@tensorflow/tfjs-core'

/**
 * `fn` without a gradient, whatever its kernels are: what it computes inside is not on the tape, so that sorting and
 * choosing may be done there.
 */
export function withoutGradient(fn: (x: tf.Tensor) => tf.Tensor): (x: tf.Tensor) => tf.Tensor {
  return tf.customGrad((x) => ({ value: fn(x as tf.Tensor), gradFunc: () => tf.zeros((x as tf.Tensor).shape) }))
}

/** sg[x]: the value of x, with no gradient through it. */
export const stopGradient = withoutGradient((x) => tf.clone(x))
