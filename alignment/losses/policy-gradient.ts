import * as tf from '@tensorflow/tfjs-core'

/** π/π_old of each token from log-probabilities; bounded to e^±20 so that it stays in float32. */
function probabilityRatio(logprobs: tf.Tensor, oldLogprobs: tf.Tensor): tf.Tensor {
  return tf.exp(tf.clipByValue(tf.sub(logprobs, oldLogprobs), -20, 20))
}

/**
 * PPO's clipped surrogate (Schulman et al. 2017, arXiv:1707.06347, eq. 7), elementwise over tokens:
 *
 *     L = −min(u·A, clip(u, 1 − ε, 1 + ε)·A),    u = π(a)/π_old(a)
 *
 * @param logprobs log π of each token
 * @param oldLogprobs log π_old, of the policy when the update round began, of the same shape
 * @param advantages A, of the same shape
 * @param clip ε; InstructGPT's and Llama 2's is 0.2
 */
export function ppoPolicyLoss(
  logprobs: tf.Tensor,
  oldLogprobs: tf.Tensor,
  advantages: tf.Tensor,
  clip: number,
): tf.Tensor {
  const ratio = probabilityRatio(logprobs, oldLogprobs)
  const clipped = tf.clipByValue(ratio, 1 - clip, 1 + clip)
  return tf.neg(tf.minimum(tf.mul(ratio, advantages), tf.mul(clipped, advantages)))
}

/**
 * PPO's value loss, elementwise over tokens, with the clipping of the reference implementations (Engstrom et al. 2020):
 *
 *     L = ½·max((V − R)², (clip(V, V_old − ε, V_old + ε) − R)²)
 *
 * @param clip ε in units of reward; leave it out for the plain ½(V − R)². TRL's default is 0.2
 */
export function ppoValueLoss(values: tf.Tensor, oldValues: tf.Tensor, returns: tf.Tensor, clip?: number): tf.Tensor {
  const plain = tf.square(tf.sub(values, returns))
  if (clip === undefined) return tf.mul(plain, 0.5)
  // V clipped to a band that differs from token to token.
  const moved = tf.clipByValue(tf.sub(values, oldValues), -clip, clip)
  const held = tf.square(tf.sub(tf.add(oldValues, moved), returns))
  return tf.mul(tf.maximum(plain, held), 0.5)
}

/**
 * REINFORCE (Williams 1992), elementwise, over tokens or over whole sequences: its gradient is −A·∇log π.
 *
 *     L = −A·log π
 *
 * @param advantages A, without a gradient: a return less a baseline
 */
export function reinforce(logprobs: tf.Tensor, advantages: tf.Tensor): tf.Tensor {
  return tf.neg(tf.mul(logprobs, advantages))
}
