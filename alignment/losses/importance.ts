import * as tf from '@tensorflow/tfjs-core'
import { stopGradient } from './stop-gradient.js'

/** How samples that another policy wrote are corrected for; see {@link importanceWeights}. */
export type Correction =
  | { readonly kind: 'truncate'; readonly level: 'token' | 'sequence'; readonly cap: number }
  | { readonly kind: 'mask'; readonly level: 'token' | 'sequence'; readonly low: number; readonly high: number }

/** Ratios are bounded to e^±20 so that they stay in float32. */
const LOG_RATIO_BOUND = 20

/**
 * Weights that make a stale sample count as the present policy would have it: with r = π(y)/μ(y), μ the policy that wrote,
 *
 *     truncate:  w = min(r, C)                   (truncated importance sampling, Ionides 2008; "TIS")
 *     mask:      w = r where low ≤ r ≤ high, else 0
 *
 * of each token by itself, or of the whole sequence with r the product over its tokens. Without a gradient: they multiply a
 * loss of the same rows. A token outside of the mask has weight 0.
 *
 * @param logprobs [rows, length] log π
 * @param behaviour [rows, length] log μ, as the writer drew (its temperature included)
 * @param mask [rows, length]
 * @returns [rows, length] for tokens, [rows] for sequences
 */
export function importanceWeights(
  logprobs: tf.Tensor,
  behaviour: tf.Tensor,
  mask: tf.Tensor,
  correction: Correction,
): tf.Tensor {
  const perToken = tf.mul(tf.sub(logprobs, behaviour), mask)
  const isToken = correction.level === 'token'
  const logRatio = isToken ? perToken : tf.sum(perToken, 1)
  const ratio = tf.exp(tf.clipByValue(logRatio, -LOG_RATIO_BOUND, LOG_RATIO_BOUND))
  const weight = correction.kind === 'truncate' ? tf.minimum(ratio, correction.cap) : within(ratio, correction)
  return stopGradient(isToken ? tf.mul(weight, mask) : weight)
}

function within(ratio: tf.Tensor, { low, high }: { low: number; high: number }): tf.Tensor {
  const isInside = tf.logicalAnd(tf.greaterEqual(ratio, low), tf.lessEqual(ratio, high))
  return tf.where(isInside, ratio, tf.zerosLike(ratio))
}
