import * as tf from '@tensorflow/tfjs-core'

/**
 * log σ(x) = −softplus(−x), elementwise: no overflow, and no loss of small probabilities. Its derivative is σ(−x).
 */
export function logSigmoid<T extends tf.Tensor>(x: T): T {
  return tf.neg(tf.softplus(tf.neg(x)))
}

/**
 * DPO's loss of each pair (Rafailov et al. 2023, eq. 7), with the label smoothing of cDPO (Mitchell 2023):
 *
 *     L = −(1 − ε) log σ(βh) − ε log σ(−βh),    h = [log π(y_w) − log ref(y_w)] − [log π(y_l) − log ref(y_l)]
 *
 * ∂L/∂h = −βσ(−βh) at ε = 0; with ε > 0 it is zero at h = logit(1 − ε)/β.
 *
 * @param h [P], from sums (not means) of token log-probabilities, in nats
 * @param beta strength of the KL constraint; larger stays nearer to the reference
 * @param labelSmoothing ε in [0, 0.5): the assumed rate of wrong labels. Default 0
 * @returns [P]
 */
export function sigmoidPreferenceLoss(h: tf.Tensor, beta: number, labelSmoothing = 0): tf.Tensor {
  const z = tf.mul(h, beta)
  const loss = tf.softplus(tf.neg(z)) // −log σ(z)
  if (labelSmoothing === 0) return loss
  return tf.add(tf.mul(loss, 1 - labelSmoothing), tf.mul(tf.softplus(z), labelSmoothing))
}
