import * as tf from '@tensorflow/tfjs-core'
import type { LossFunction } from '../runtime/tensor/loss.js'

/**
 * Negative log-likelihood per completion token, in nats: −Σ w·mask·log π / Σ w·mask, where the optional first extra holds
 * one weight a row ([rows]; default 1). An empty batch has loss 0.
 */
export const nllLoss: LossFunction = (logprobs, mask, [rowWeights]) => {
  const weights = rowWeights ? tf.mul(mask, tf.expandDims(rowWeights, 1)) : mask // [rows, length]
  const total = tf.maximum(tf.sum(weights), 1e-8)
  return { loss: tf.neg(tf.div(tf.sum(tf.mul(weights, logprobs)), total)) as tf.Scalar, metrics: [] }
}
