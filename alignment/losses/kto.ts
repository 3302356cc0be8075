import * as tf from '@tensorflow/tfjs-core'
import { stopGradient } from './stop-gradient.js'

/**
 * KTO's reference point z₀ (Ethayarajh et al. 2024, arXiv:2402.01306): an estimate of KL(π ‖ ref) from
 * completions that belong to other prompts of the batch, never below 0, and without a gradient.
 *
 *     z₀ = sg[max(0, mean_i(log π(y_{i+1}|x_i) − log ref(y_{i+1}|x_i)))]
 *
 * @param mismatched [N] log-ratios of the mismatched completions; N of at least 2 for them to be mismatched
 * @param weight [N], 0 is padding
 */
export function ktoReferencePoint(mismatched: tf.Tensor, weight: tf.Tensor): tf.Tensor {
  const mean = tf.div(tf.sum(tf.mul(mismatched, weight)), tf.maximum(tf.sum(weight), 1))
  return stopGradient(tf.relu(mean))
}

export interface KtoOptions {
  readonly beta: number
  /** λ_D, weight of desirable completions. Default 1; λ_D·n_D / (λ_U·n_U) should be 1 to 3/2. */
  readonly desirableWeight?: number
  /** λ_U. Default 1. */
  readonly undesirableWeight?: number
}

/**
 * KTO's loss of completions that are each labelled desirable or not, without pairs (the same paper):
 *
 *     desirable:    L = λ_D·(1 − σ(β(lr − z₀)))
 *     undesirable:  L = λ_U·(1 − σ(β(z₀ − lr)))
 *
 * @param ratios [N] lr = log π(y) − log ref(y), sums
 * @param isDesirable [N] of 1 and 0
 * @param z0 scalar, of {@link ktoReferencePoint}
 */
export function kto(ratios: tf.Tensor, isDesirable: tf.Tensor, z0: tf.Tensor, options: KtoOptions): tf.Tensor {
  const { beta, desirableWeight = 1, undesirableWeight = 1 } = options
  const side = tf.sub(tf.mul(isDesirable, 2), 1) // 1 or −1
  const value = tf.sigmoid(tf.mul(tf.mul(tf.sub(ratios, z0), side), beta))
  const weight = tf.add(tf.mul(isDesirable, desirableWeight), tf.mul(tf.sub(1, isDesirable), undesirableWeight))
  return tf.mul(weight, tf.sub(1, value))
}
