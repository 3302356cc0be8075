import * as tf from '@tensorflow/tfjs-core'
import { type LossFunction, type Mean, meanOf } from '../../runtime/tensor/loss.js'
import type { BoundPreferenceLoss } from './define.js'
import { type Correction, importanceWeights } from './importance.js'
import { mismatch } from './mismatch.js'
import { logRatios, type PairLogprobs } from './pair.js'
import { namedExtras, OF_LOGITS, readPairs, sequenceSums } from './read-pairs.js'

export interface PreferenceObjectiveOptions {
  /** Of `preferenceLoss`. */
  readonly loss: BoundPreferenceLoss
  /** P: pairs in a batch, padding included. */
  readonly pairs: number
  /** R: further rows trained by negative log-likelihood. Default 0. */
  readonly nllRows?: number
  /** Weight of that. Default 1. */
  readonly nllCoefficient?: number
  /** NLL as a mean over tokens, or over sequences of their sums (SLiC-HF, RRHF). Default `token`. */
  readonly nllPer?: 'token' | 'sequence'
  /** Weight of the preference term; Click's c. Default 1. */
  readonly coefficient?: number
  /** Also measures how far the policy is from the one that wrote the pairs. Default false. */
  readonly behaviour?: boolean
  /** Weighs each pair as the policy of now would have it, by both its completions; needs `behaviour`. Default none. */
  readonly correction?: PairCorrection | undefined
}

/** The correction of a pair: r = π(y_w)π(y_l) / μ(y_w)μ(y_l), both of whole sequences. */
export type PairCorrection = Correction & { readonly level: 'sequence' }

export interface PreferenceObjective {
  readonly loss: LossFunction
  /** Names of the tensors that the loss is to be given as extras, in their order. */
  readonly extras: readonly string[]
  /** Names of its metrics, in their order. */
  readonly metrics: readonly string[]
  /** Rows of a batch: 2P + (P where the loss needs mismatched completions) + R. */
  readonly rows: number
}

export const PREFERENCE_METRICS = ['preference', 'accuracy', 'chosenReward', 'rejectedReward', 'margin'] as const
const BEHAVIOUR_METRICS = ['mismatchKl', 'ratio', 'ratioSquare'] as const

/**
 * Any loss of the pairwise family over one batch.
 *
 * Rows: [chosen × P, rejected × P, mismatched × P (KTO alone), nll × R]. Extras, each [P] unless said otherwise:
 * `refChosen` and `refRejected` (sequence sums of log ref; zeros where the loss uses no reference), `pairWeight` (0 is
 * padding), `nllWeight` [R], with `behaviour` the writing policy's log-probabilities, of the shape of `logprobs`, and what
 * the loss needs: `refMismatched`, `rewardShift` [1], `referenceSide`.
 *
 *     loss = k·Σ w·L / max(1, Σ w)  +  c·NLL
 *
 * Metrics, means over weighted pairs: L, the fraction with lr_w > lr_l, the implicit rewards scale·lr of chosen and
 * rejected, their difference; with `behaviour` those of {@link mismatch} over the pairs' tokens.
 */
export function preferenceObjective(options: PreferenceObjectiveOptions): PreferenceObjective {
  const { loss, pairs, nllRows = 0, nllCoefficient = 1, coefficient = 1, behaviour = false, correction } = options
  const asks = loss.needs.map((need) => (need === 'mismatched' ? 'refMismatched' : need))
  const names = ['refChosen', 'refRejected', 'pairWeight', 'nllWeight', ...(behaviour ? ['behaviour'] : []), ...asks]
  const pairRows = loss.needs.includes('mismatched') ? 3 * pairs : 2 * pairs
  if (correction && !behaviour) throw new TypeError('a correction needs `behaviour`')

  const all = loss.ofLogits ? [OF_LOGITS, ...names] : names
  const run: LossFunction = (logprobs, mask, extras, meanOver = meanOf) => {
    const given = namedExtras(loss.name, all, extras, nllRows)
    const sums = sequenceSums(loss, pairs, logprobs, mask)
    const pair = readPairs(pairs, sums, tf.sum(mask, 1), given)
    const count = tf.sum(pair.weight)
    const mean = (values: tf.Tensor) => meanOver(tf.sum(tf.mul(values, pair.weight)), count, 1)

    const losses = loss.perPair(pair)
    const written = given.get('behaviour')
    const weighted =
      correction && written ? tf.mul(losses, pairWeights(pairs, logprobs, written, mask, correction)) : losses
    const preference = mean(weighted)
    const metrics = [preference, ...rewardMetrics(loss, pair, mean)]
    if (written) {
      const own = (rows: tf.Tensor) => tf.slice(rows, 0, 2 * pairs) // [2P, length]
      const weight = tf.mul(own(mask), tf.expandDims(tf.concat([pair.weight, pair.weight]), 1))
      metrics.push(...mismatch(own(logprobs), own(written), weight, meanOver))
    }
    const first = coefficient === 1 ? preference : tf.mul(preference, coefficient)
    const nllWeight = given.get('nllWeight')
    if (nllRows === 0 || !nllWeight) return { loss: first as tf.Scalar, metrics }
    const nll = likelihood(sums, mask, pairRows, nllWeight, options.nllPer ?? 'token', meanOver)
    return { loss: tf.add(first, tf.mul(nll, nllCoefficient)), metrics }
  }
  const metrics = [...PREFERENCE_METRICS, ...(behaviour ? BEHAVIOUR_METRICS : [])]
  const asking = loss.ofLogits ? Object.assign(run, { ofLogits: loss.ofLogits }) : run
  return { loss: asking, extras: names, metrics, rows: pairRows + nllRows }
}

function rewardMetrics(loss: BoundPreferenceLoss, pair: PairLogprobs, mean: (values: tf.Tensor) => tf.Scalar) {
  const { chosen, rejected } = logRatios(pair)
  const accuracy = mean(tf.cast(tf.greater(tf.sub(chosen, rejected), 0), 'float32'))
  const [won, lost] = [tf.mul(mean(chosen), loss.rewardScale), tf.mul(mean(rejected), loss.rewardScale)]
  return [accuracy, won, lost, tf.sub(won, lost)] as tf.Scalar[]
}

/** [P]: the importance weight of each pair's two completions together. */
function pairWeights(
  pairs: number,
  logprobs: tf.Tensor,
  written: tf.Tensor,
  mask: tf.Tensor,
  correction: PairCorrection,
): tf.Tensor {
  const sides = (rows: tf.Tensor) => tf.concat([tf.slice(rows, 0, pairs), tf.slice(rows, pairs, pairs)], 1) // [P, 2·length]
  return importanceWeights(sides(logprobs), sides(written), sides(mask), correction)
}

function likelihood(
  sums: tf.Tensor,
  mask: tf.Tensor,
  begin: number,
  weight: tf.Tensor,
  per: 'token' | 'sequence',
  meanOver: Mean,
): tf.Scalar {
  const rows = weight.size
  const nll = tf.neg(tf.slice(sums, begin, rows)) // [R]
  const count = per === 'token' ? tf.mul(tf.sum(tf.slice(mask, [begin, 0], [rows, -1]), 1), weight) : weight
  return meanOver(tf.sum(tf.mul(nll, weight)), tf.sum(count), 1)
}
