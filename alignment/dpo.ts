import * as tf from '@tensorflow/tfjs-core'
import { type LossFunction, meanOf } from '../runtime/tensor/loss.js'
import { mismatch } from './mismatch.js'
import { sigmoidPreferenceLoss } from './preference-loss.js'

export interface DpoOptions {
  /** β; the paper's default is 0.1. */
  readonly beta: number
  /** P: pairs in a batch, padding included. */
  readonly pairs: number
  /** R: further rows trained by negative log-likelihood (demonstrations mixed in). Default 0. */
  readonly nllRows?: number
  /** Weight of the mixed-in loss. Default 1. */
  readonly nllCoefficient?: number
  /** ε of cDPO. Default 0. */
  readonly labelSmoothing?: number
  /** Also measures how far the policy is from the one that wrote the pairs. Default false. */
  readonly behaviour?: boolean
}

/** What the metrics of {@link dpo} mean, in their order; the last three only with `behaviour`. */
export const DPO_METRICS = [
  'dpo',
  'accuracy',
  'chosenReward',
  'rejectedReward',
  'margin',
  'mismatchKl',
  'ratio',
  'ratioSquare',
] as const

/**
 * Direct preference optimisation as a loss over one batch.
 *
 * Rows: [chosen × P, rejected × P, nll × R]. Extras, in order: `refChosen` [P] and `refRejected` [P] (sequence sums of
 * log ref), `pairWeight` [P] (0 is padding), `nllWeight` [R] (may be absent or of length 0 when R = 0), and with
 * `behaviour` the log-probabilities of the writing policy, of the shape of `logprobs`.
 *
 *     loss = Σ w·L(h) / max(1, Σ w)  +  c · Σ w·(−log π) / max(1, Σ w·tokens)
 *
 * L: {@link sigmoidPreferenceLoss}; the second term is a mean over tokens. Metrics, means over weighted pairs:
 * the first term alone, the fraction of pairs with h > 0, the implicit rewards β(log π − log ref) of chosen and of
 * rejected, and their difference; then those of {@link mismatch} over the pairs' tokens.
 */
export function dpo(options: DpoOptions): LossFunction {
  const { beta, pairs, nllRows = 0, nllCoefficient = 1, labelSmoothing = 0, behaviour = false } = options
  return (logprobs, mask, [refChosen, refRejected, pairWeight, nllWeight, written], meanOver = meanOf) => {
    if (!refChosen || !refRejected || !pairWeight) throw new TypeError('dpo needs refChosen, refRejected, pairWeight')
    const sums = tf.sum(tf.mul(logprobs, mask), 1) // [2P + R]
    const chosen = tf.sub(tf.slice(sums, 0, pairs), refChosen) // log π − log ref, [P]
    const rejected = tf.sub(tf.slice(sums, pairs, pairs), refRejected)
    const h = tf.sub(chosen, rejected)
    const count = tf.sum(pairWeight)
    const mean = (values: tf.Tensor) => meanOver(tf.sum(tf.mul(values, pairWeight)), count, 1)

    const preference = mean(sigmoidPreferenceLoss(h, beta, labelSmoothing))
    const accuracy = mean(tf.cast(tf.greater(h, 0), 'float32'))
    const [chosenReward, rejectedReward] = [tf.mul(mean(chosen), beta), tf.mul(mean(rejected), beta)]
    const margin = tf.sub(chosenReward, rejectedReward)
    const metrics = [preference, accuracy, chosenReward, rejectedReward, margin] as tf.Scalar[]
    if (behaviour) {
      if (!written) throw new TypeError('dpo with `behaviour` needs the log-probabilities of the writing policy')
      const own = (rows: tf.Tensor) => tf.slice(rows, 0, 2 * pairs) // [2P, length]
      const weight = tf.mul(own(mask), tf.expandDims(tf.concat([pairWeight, pairWeight]), 1))
      metrics.push(...mismatch(own(logprobs), own(written), weight, meanOver))
    }
    if (nllRows === 0 || !nllWeight) return { loss: preference, metrics }

    const nll = tf.neg(tf.slice(sums, 2 * pairs, nllRows)) // [R]
    const tokens = tf.sum(tf.slice(mask, [2 * pairs, 0], [nllRows, -1]), 1)
    const perToken = meanOver(tf.sum(tf.mul(nll, nllWeight)), tf.sum(tf.mul(tokens, nllWeight)), 1)
    return { loss: tf.add(preference, tf.mul(perToken, nllCoefficient)), metrics }
  }
}
