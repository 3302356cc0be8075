import * as tf from '@tensorflow/tfjs-core'
import { logRatios, type PairLogprobs } from './pair.js'
import { sigmoidPreferenceLoss } from './sigmoid.js'
import { withoutGradient } from './stop-gradient.js'

/** Where padding sorts to: past every log-ratio, on both sides alike. */
const LAST = 1e9

/**
 * AOT, alignment by optimal transport (Melnyk et al. 2024, arXiv:2406.05882): stochastic dominance of a batch's chosen
 * over its rejected completions instead of a comparison pair by pair. Two lists are sorted, and
 *
 *     L_i = −(1 − ε) log σ(β(a₍ᵢ₎ − b₍ᵢ₎)) − ε log σ(−β(a₍ᵢ₎ − b₍ᵢ₎))
 *
 * unpaired (TRL's `aot_pair`): a = lr of the chosen, b = lr of the rejected; paired (TRL's `aot`): a = log π(y_w) −
 * log π(y_l), b = log ref(y_w) − log ref(y_l). The mean over a batch is the loss; it is not a sum of the losses of
 * parts of the batch, so a step must not be split into micro-batches.
 *
 * @returns [P], each in the place of the pair that a₍ᵢ₎ came from; pairs of weight 0 take no part
 */
export function aot(pair: PairLogprobs, beta: number, { paired = false, labelSmoothing = 0 } = {}): tf.Tensor {
  const ratios = logRatios(pair)
  const a = paired ? tf.sub(pair.chosen, pair.rejected) : ratios.chosen
  const b = paired ? tf.sub(pair.refChosen, pair.refRejected) : ratios.rejected
  const order = withoutGradient((values) => {
    const isReal = tf.greater(pair.weight, 0)
    const keys = tf.where(isReal, tf.neg(values), tf.fill(values.shape, -LAST))
    return tf.topk(keys, keys.size).indices // descending −values: ascending values, padding last
  }) as (values: tf.Tensor) => tf.Tensor1D
  const from = order(a)
  const gap = tf.sub(tf.gather(a, from), tf.gather(b, order(b)))
  return tf.unsortedSegmentSum(sigmoidPreferenceLoss(gap, beta, labelSmoothing), from, gap.size)
}
