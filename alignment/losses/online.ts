import * as tf from '@tensorflow/tfjs-core'
import { sigmoidPreferenceLoss } from './sigmoid.js'
import { stopGradient } from './stop-gradient.js'

/**
 * XPO, exploratory preference optimisation (Xie et al. 2024, arXiv:2405.21046): one completion is written by the policy, the
 * other by the reference, and to DPO is added a bonus for optimism, which pushes probability off what the reference writes.
 *
 *     L = −log σ(βh) + α·log π(y_ref)
 *
 * @param h [P]
 * @param referenceSample [P] log π of the completion that the reference wrote, a sum
 * @param alpha α ≥ 0; TRL's default is 1e-5
 */
export function xpo(h: tf.Tensor, referenceSample: tf.Tensor, beta: number, alpha: number): tf.Tensor {
  return tf.add(sigmoidPreferenceLoss(h, beta), tf.mul(referenceSample, alpha))
}

/**
 * Surrogate of Nash-MD-PG (Munos et al. 2023, arXiv:2312.00886): its gradient is minus the paper's estimator of one
 * sample y ~ π against y' of the {@link geometricMixture}, on whole sequences:
 *
 *     −∇L = ∇log π(y)·[P(y ≻ y') − ½ − τ·log(π(y)/μ(y))]
 *
 * (TRL's trainer multiplies log-ratio and log-probability token by token, which is another estimator.)
 *
 * @param logprobs [N] log π(y), sums
 * @param reference [N] log μ(y), sums, of the reference
 * @param preference [N] P(y ≻ y'), or its estimate
 * @param tau τ: strength of the regularisation; the paper's is 0.008
 */
export function nashMd(logprobs: tf.Tensor, reference: tf.Tensor, preference: tf.Tensor, tau: number): tf.Tensor {
  const price = tf.mul(tf.sub(logprobs, reference), tau)
  const advantage = stopGradient(tf.sub(tf.sub(preference, 0.5), price))
  return tf.neg(tf.mul(logprobs, advantage))
}

/**
 * Log-probabilities of the next token under ∝ π^(1−b)·μ^b: Nash-MD's opponent, made token by token.
 *
 * @param policy [..., V] logits or log-probabilities of π
 * @param reference [..., V] of μ
 * @param mix b in [0, 1]: 0 is the policy itself, 1 the reference. The paper's best are 0.125 to 0.375
 */
export function geometricMixture(policy: tf.Tensor, reference: tf.Tensor, mix: number): tf.Tensor {
  return tf.logSoftmax(tf.add(tf.mul(policy, 1 - mix), tf.mul(reference, mix)))
}
