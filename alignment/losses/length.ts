import * as tf from '@tensorflow/tfjs-core'
import { logRatios, type PairLogprobs, perToken } from './pair.js'
import { sigmoidPreferenceLoss } from './sigmoid.js'

/**
 * Difference of the log-ratios a token, [P]: lr_w/|y_w| − lr_l/|y_l|. What IPO's means and {@link lnDpo} look at.
 */
export function gapPerToken(pair: PairLogprobs): tf.Tensor {
  const { chosen, rejected } = logRatios(pair)
  return tf.sub(perToken(chosen, pair.chosenTokens), perToken(rejected, pair.rejectedTokens))
}

/**
 * Length-normalised DPO (Tülu 3, Lambert et al. 2024, arXiv:2411.15124; TRL's `sigmoid_norm`):
 *
 *     L = −log σ(β(lr_w/|y_w| − lr_l/|y_l|))
 *
 * @param beta Tülu 3: 5 (a mean is smaller than a sum)
 */
export function lnDpo(pair: PairLogprobs, beta: number): tf.Tensor {
  return sigmoidPreferenceLoss(gapPerToken(pair), beta)
}

/**
 * R-DPO, DPO with a price on length (Park et al. 2024, arXiv:2403.19159):
 *
 *     L = −log σ(βh + α(|y_w| − |y_l|))
 *
 * The form is derived here, not copied from the paper's print: the policy that maximises E[r − α|y|] − β·KL has
 * r = β·lr + α|y| + const, which goes into Bradley–Terry. With α > 0 a pair whose winner is longer is held for easier.
 *
 * @param alpha α, in reward a token
 */
export function rDpo(pair: PairLogprobs, beta: number, alpha: number): tf.Tensor {
  const { chosen, rejected } = logRatios(pair)
  const longer = tf.sub(pair.chosenTokens, pair.rejectedTokens)
  const z = tf.add(tf.mul(tf.sub(chosen, rejected), beta), tf.mul(longer, alpha))
  return tf.softplus(tf.neg(z))
}

/**
 * LD-DPO's weights of tokens (Liu et al. 2024, arXiv:2409.06411; TRL's `ld_alpha`): 1 up to the length that both
 * completions of a pair share, α beyond it. α = 1 is plain DPO, α = 0 cuts the longer one.
 *
 * TRL weighs the policy's tokens and not the reference's; {@link weightedSum} gives the reference's for those who weigh both.
 *
 * @param mask [2P, length], rows chosen then rejected; each row's tokens are consecutive
 * @returns [2P, length]: the mask with α instead of 1 beyond the shared length
 */
export function ldWeights(mask: tf.Tensor, alpha: number): tf.Tensor {
  const [chosen, rejected] = tf.split(tf.sum(mask, 1), 2) as [tf.Tensor, tf.Tensor]
  const shared = tf.minimum(chosen, rejected) // [P]
  const limit = tf.expandDims(tf.concat([shared, shared]), 1)
  const isBeyond = tf.cast(tf.greater(tf.cumsum(mask, 1), limit), 'float32')
  return tf.mul(mask, tf.sub(1, tf.mul(isBeyond, 1 - alpha)))
}

/** Sum of a completion's log-probabilities with α for those from `shared` on: {@link ldWeights} outside of a graph. */
export function weightedSum(logprobs: ArrayLike<number>, shared: number, alpha: number): number {
  let sum = 0
  for (let t = 0; t < logprobs.length; t++) sum += (t < shared ? 1 : alpha) * (logprobs[t] as number)
  return sum
}
