import * as tf from '@tensorflow/tfjs-core'
import { type LossFunction, meanOf } from '../../runtime/tensor/loss.js'
import { perToken } from './pair.js'
import { bestNll, differences, rrhfRank } from './rank.js'
import { rewardRanking } from './reward-model.js'

/** A batch of B prompts with K completions each; rows are those of the first prompt, then of the second, … */
export interface GroupShape {
  readonly prompts: number
  readonly completions: number
}

export interface RrhfOptions extends GroupShape {
  /** Weight of the likelihood of the best. Default 1. */
  readonly nllCoefficient?: number
}

export const RRHF_METRICS = ['rank', 'nll'] as const

/**
 * RRHF over one batch (Yuan et al. 2023, arXiv:2304.05302): {@link rrhfRank} + c·{@link bestNll}, means over prompts.
 * Extras: `rewards` [B·K], `weight` [B·K] (0 is padding; a prompt whose weights are all 0 counts for nothing).
 */
export function rrhf({ prompts, completions, nllCoefficient = 1 }: RrhfOptions): LossFunction {
  const grouped = (rows: tf.Tensor) => tf.reshape(rows, [prompts, completions])
  return (logprobs, mask, [rewards, weight], meanOver = meanOf) => {
    if (!rewards || !weight) throw new TypeError('rrhf needs rewards, weight')
    const sums = tf.sum(tf.mul(logprobs, mask), 1)
    const means = grouped(perToken(sums, tf.sum(mask, 1)))
    const [r, w] = [grouped(rewards), grouped(weight)]
    const count = tf.sum(tf.cast(tf.greater(tf.sum(w, 1), 0), 'float32'))
    const rank = meanOver(tf.sum(rrhfRank(means, r, w)), count, 1)
    const nll = meanOver(tf.sum(bestNll(grouped(sums), r, w)), count, 1)
    return { loss: tf.add(rank, tf.mul(nll, nllCoefficient)), metrics: [rank, nll] }
  }
}

export const REWARD_MODEL_METRICS = ['loss', 'accuracy'] as const

/**
 * A reward model over one batch, all comparisons of a prompt as one element ({@link rewardRanking}).
 * Extras: `values` [B·K, length] of a scalar head, `last` of the same shape (1 at each completion's last position, else 0),
 * `preferred` [B, K, K]. With K = 2 and p, 1 − p off its diagonal the labels are soft (RLAIF). Metrics: the loss, and the
 * fraction of comparisons that the rewards order rightly, weighted by `preferred`.
 */
export function rewardModelObjective({ prompts, completions }: GroupShape): LossFunction {
  return (_logprobs, _mask, [values, last, preferred], meanOver = meanOf) => {
    if (!values || !last || !preferred) throw new TypeError('a reward model needs values, last, preferred')
    const rewards = tf.reshape(tf.sum(tf.mul(values, last), 1), [prompts, completions])
    const judged = tf.sum(tf.cast(tf.greater(tf.sum(preferred, [1, 2]), 0), 'float32'))
    const loss = meanOver(tf.sum(rewardRanking(rewards, preferred)), judged, 1)
    const isRight = tf.cast(tf.greater(differences(rewards), 0), 'float32')
    const accuracy = meanOver(tf.sum(tf.mul(isRight, preferred)), tf.sum(preferred), 1)
    return { loss, metrics: [loss, accuracy] }
  }
}
