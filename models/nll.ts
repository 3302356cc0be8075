import * as tf from '@tensorflow/tfjs-core'
import { type LossFunction, meanOf } from '../runtime/tensor/loss.js'

/**
 * Negative log-likelihood per completion token, in nats: −Σ w·mask·log π / Σ w·mask, where the optional first extra holds
 * one weight a row ([rows]; default 1). An empty batch has loss 0.
 */
export const nllLoss: LossFunction = (logprobs, mask, [rowWeights], mean = meanOf) => {
  const weights = rowWeights ? tf.mul(mask, tf.expandDims(rowWeights, 1)) : mask // [rows, length]
  return { loss: tf.neg(mean(tf.sum(tf.mul(weights, logprobs)), tf.sum(weights))), metrics: [] }
}
