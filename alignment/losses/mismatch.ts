import * as tf from '@tensorflow/tfjs-core'
import { type Mean, meanOf } from '../../runtime/tensor/loss.js'

/** Beyond this, e^(2·logRatio) would leave float32; ratios are bounded to e^±20 as in verl. */
const LOG_RATIO_BOUND = 20

/**
 * How far the policy that trains is from the one that wrote, over tokens: with r = π(token) / μ(token), the means of
 *
 *     r − log r − 1    an estimate of KL(μ ‖ π) that is never negative (k3; Schulman 2020)
 *     r  and  r²       of which {@link effectiveSampleSize} is made
 *
 * `logprobs`, `behaviour` (log μ) and `weight` have one shape; a token of weight 0 counts for nothing.
 */
export function mismatch(logprobs: tf.Tensor, behaviour: tf.Tensor, weight: tf.Tensor, meanOver: Mean = meanOf) {
  const difference = tf.mul(tf.sub(logprobs, behaviour), weight)
  const logRatio = tf.clipByValue(difference, -LOG_RATIO_BOUND, LOG_RATIO_BOUND)
  const ratio = tf.exp(logRatio)
  const count = tf.sum(weight)
  const mean = (values: tf.Tensor) => meanOver(tf.sum(tf.mul(values, weight)), count, 1)
  return [mean(tf.sub(tf.sub(ratio, logRatio), 1)), mean(ratio), mean(tf.mul(ratio, ratio))] as const
}

/** (Σr)² / (n·Σr²) of importance ratios, from their mean and their mean square: 1 where all are equal, 1/n at worst. */
export function effectiveSampleSize(meanRatio: number, meanSquare: number): number {
  return meanSquare > 0 ? meanRatio ** 2 / meanSquare : 0
}
