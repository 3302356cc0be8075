import * as tf from '@tensorflow/tfjs-core'
import { differences } from './rank.js'

/**
 * A reward model's ranking loss (Stiennon et al. 2020, arXiv:2009.01325; InstructGPT, Ouyang et al. 2022,
 * arXiv:2203.02155, eq. 1): all C(K, 2) comparisons of the K completions of one prompt are one element of the batch, so
 * that each completion is read once and a prompt counts once however many pairs it has.
 *
 *     L = −(1/#pairs) Σ_{(w,l)} log σ(r_w − r_l)
 *
 * @param rewards [B, K] of r
 * @param preferred [B, K, K]: 1 at [b, w, l] where w was preferred to l, else 0; see {@link preferencesOf}
 * @returns [B]; 0 for a prompt without pairs
 */
export function rewardRanking(rewards: tf.Tensor, preferred: tf.Tensor): tf.Tensor {
  const losses = tf.mul(tf.softplus(tf.neg(differences(rewards))), preferred)
  return tf.div(tf.sum(losses, [1, 2]), tf.maximum(tf.sum(preferred, [1, 2]), 1))
}

/**
 * What {@link rewardRanking} wants to know of one prompt: K × K, row by row, 1 where the first was scored above the second.
 * Ties give no pair, and neither does a completion without a score.
 */
export function preferencesOf(scores: readonly (number | undefined)[]): Float32Array {
  const isAbove = (a: number | undefined, b: number | undefined) => a !== undefined && b !== undefined && a > b
  return Float32Array.from(scores.flatMap((a) => scores.map((b) => (isAbove(a, b) ? 1 : 0))))
}

/**
 * A pairwise cross-entropy to soft labels (RLAIF, Lee et al. 2023, arXiv:2309.00267): with p the labeller's probability
 * that the first is better, and d = r₁ − r₂,
 *
 *     L = −p log σ(d) − (1 − p) log σ(−d)        ∂L/∂d = σ(d) − p
 *
 * @param first [P] rewards
 * @param second [P] rewards
 * @param probability [P] of p
 */
export function softRewardLoss(first: tf.Tensor, second: tf.Tensor, probability: tf.Tensor): tf.Tensor {
  const gap = tf.sub(first, second)
  const [won, lost] = [tf.softplus(tf.neg(gap)), tf.softplus(gap)]
  return tf.add(tf.mul(won, probability), tf.mul(lost, tf.sub(1, probability)))
}
