import * as tf from '@tensorflow/tfjs-core'

/** i − j of every two of a row: [B, K] → [B, K, K]. */
export function differences(values: tf.Tensor): tf.Tensor {
  return tf.sub(tf.expandDims(values, 2), tf.expandDims(values, 1))
}

/** 1 where both of two of a row count: [B, K] → [B, K, K]. */
function both(weight: tf.Tensor): tf.Tensor {
  return tf.mul(tf.expandDims(weight, 2), tf.expandDims(weight, 1))
}

/**
 * RRHF's ranking loss (Yuan et al. 2023, arXiv:2304.05302): K scored candidates of each of B prompts should have
 * mean log-probabilities in the order of their rewards. No margin; a tie of rewards gives nothing.
 *
 *     L = Σ_{r_i < r_j} max(0, p_i − p_j),    p = log π(y)/|y|
 *
 * @param means [B, K] of p
 * @param rewards [B, K]
 * @param weight [B, K], 0 is a candidate that is not there
 * @returns [B]
 */
export function rrhfRank(means: tf.Tensor, rewards: tf.Tensor, weight: tf.Tensor): tf.Tensor {
  const isBelow = tf.cast(tf.less(differences(rewards), 0), 'float32')
  const violation = tf.relu(differences(means))
  return tf.sum(tf.mul(violation, tf.mul(isBelow, both(weight))), [1, 2])
}

/**
 * RRHF's likelihood term: −log π of the candidate of greatest reward, the first of several, summed over its
 * tokens as in the paper (its repository takes a mean over the padded length, which depends on the batch).
 *
 * @param sums [B, K] of log π(y)
 * @returns [B]
 */
export function bestNll(sums: tf.Tensor, rewards: tf.Tensor, weight: tf.Tensor): tf.Tensor {
  const present = tf.where(tf.greater(weight, 0), rewards, tf.fill(rewards.shape, -1e30))
  const isBest = tf.oneHot(tf.argMax(present, 1) as tf.Tensor1D, rewards.shape[1] as number)
  return tf.neg(tf.sum(tf.mul(tf.mul(sums, tf.cast(isBest, 'float32')), weight), 1))
}
