import * as tf from '@tensorflow/tfjs-core'

/** Operations that some backends have as one kernel, registered with TF.js under these names. */
export type FusedKernel = 'TroupeRmsNorm' | 'TroupeRotary' | 'TroupeSilu' | 'TroupePlaceRows'

/**
 * Runs `kernel` where the active backend has it, else its definition in plain TF.js ops; both give the same tensors up to
 * rounding. No gradient is recorded: call it inside of `tf.customGrad`.
 */
export function fused(
  kernel: FusedKernel,
  inputs: Readonly<Record<string, tf.Tensor>>,
  attrs: tf.NamedAttrMap,
  plain: () => tf.Tensor[],
): tf.Tensor[] {
  if (!tf.getKernel(kernel, tf.getBackend())) return plain()
  const made = tf.engine().runKernel(kernel, { ...inputs }, attrs) as tf.Tensor | tf.Tensor[]
  return Array.isArray(made) ? made : [made]
}
