import * as tf from '@tensorflow/tfjs-core'
import { type LossFunction, type Mean, meanOf } from '../../runtime/tensor/loss.js'
import { perToken } from './pair.js'
import { bestNll, differences, rrhfRank } from './rank.js'
import { rewardRanking, softRewardLoss } from './reward-model.js'

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

/** A loss over the scores [rows] that a scalar head gives whole sequences; extras and mean as in `LossFunction`. */
type ScoreLoss = (scores: tf.Tensor, extras: readonly tf.Tensor[], mean?: Mean) => ReturnType<LossFunction>

/**
 * A reward model over one batch, all comparisons of a prompt as one element ({@link rewardRanking}); scores [B·K].
 * Extra: `preferred` [B, K, K]; with p, 1 − p at [i, j], [j, i] the labels are soft (RLAIF). Metrics: the loss, and the
 * fraction of comparisons that the rewards order rightly, weighted by `preferred`.
 */
export function rewardModelObjective({ prompts, completions }: GroupShape): ScoreLoss {
  return (scores, [preferred], meanOver = meanOf) => {
    if (!preferred) throw new TypeError('a reward model needs preferred')
    const rewards = tf.reshape(scores, [prompts, completions])
    const judged = tf.sum(tf.cast(tf.greater(tf.sum(preferred, [1, 2]), 0), 'float32'))
    const loss = meanOver(tf.sum(rewardRanking(rewards, preferred)), judged, 1)
    const isRight = tf.cast(tf.greater(differences(rewards), 0), 'float32')
    const accuracy = meanOver(tf.sum(tf.mul(isRight, preferred)), tf.sum(preferred), 1)
    return { loss, metrics: [loss, accuracy] }
  }
}

/**
 * A pairwise ranker over one batch: a score [P] reads both answers at once and is logit P(the one shown first is better), as
 * the ranking models of SLiC-HF (Zhao et al. 2023, arXiv:2305.10425) and RSO (Liu et al. 2023, arXiv:2309.06657) are.
 * Extras: `probability` [P] of the labels, `weight` [P] (0 is padding). Metrics as of {@link rewardModelObjective}.
 */
export const pairRankerObjective: ScoreLoss = (scores, [probability, weight], meanOver = meanOf) => {
  if (!probability || !weight) throw new TypeError('a pairwise ranker needs probability, weight')
  const total = tf.sum(weight)
  const losses = softRewardLoss(scores, tf.zerosLike(scores), probability)
  const loss = meanOver(tf.sum(tf.mul(losses, weight)), total)
  const right = tf.where(tf.greater(scores, 0), probability, tf.sub(1, probability))
  return { loss, metrics: [loss, meanOver(tf.sum(tf.mul(right, weight)), total)] }
}
