import * as tf from '@tensorflow/tfjs-core'
import { type PairLogprobs, perToken } from './pair.js'

/**
 * SimPO (Meng et al. 2024, arXiv:2405.14734): the reward is the mean log-probability, and there is no reference.
 *
 *     L = −log σ(β/|y_w|·log π(y_w) − β/|y_l|·log π(y_l) − γ)
 *
 * @param beta the paper's is 2 to 10
 * @param gamma γ: the target margin; the paper starts from γ = β/2
 */
export function simpo(pair: PairLogprobs, beta: number, gamma: number): tf.Tensor {
  const gap = tf.sub(perToken(pair.chosen, pair.chosenTokens), perToken(pair.rejected, pair.rejectedTokens))
  return tf.softplus(tf.sub(gamma, tf.mul(gap, beta)))
}

/** A mean log-probability nearer to 0 than this counts as this: beyond it float32 has no 1 − e^x. */
const SUREST = -1e-6

/** log(P / (1 − P)) from log P < 0, elementwise. */
function logOdds(logProbability: tf.Tensor): tf.Tensor {
  const x = tf.minimum(logProbability, SUREST)
  return tf.sub(x, tf.log(tf.neg(tf.expm1(x))))
}

/**
 * ORPO (Hong et al. 2024, arXiv:2403.07691): supervised training with a preference term, in one stage, without a reference.
 *
 *     L = −log π(y_w)/|y_w| − λ log σ(log odds(y_w) − log odds(y_l)),    odds = P/(1 − P),  P = exp(log π(y)/|y|)
 *
 * @param lambda λ (TRL calls it beta); the paper's are 0.1 to 0.25
 */
export function orpo(pair: PairLogprobs, lambda: number): tf.Tensor {
  const chosen = perToken(pair.chosen, pair.chosenTokens)
  const rejected = perToken(pair.rejected, pair.rejectedTokens)
  const ratio = tf.sub(logOdds(chosen), logOdds(rejected))
  return tf.sub(tf.mul(tf.softplus(tf.neg(ratio)), lambda), chosen)
}
