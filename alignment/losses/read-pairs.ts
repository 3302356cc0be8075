import * as tf from '@tensorflow/tfjs-core'
import type { BoundPreferenceLoss } from './define.js'
import type { PairLogprobs } from './pair.js'

/** What a loss asks of the logits, among its extras. */
export const OF_LOGITS = 'ofLogits'

/** The extras by name; only NLL weights may be absent, where there are no such rows. */
export function namedExtras(loss: string, names: readonly string[], extras: readonly tf.Tensor[], nllRows: number) {
  const given = new Map(names.flatMap((name, i) => (extras[i] ? [[name, extras[i]] as const] : [])))
  const absent = names.filter((name) => !given.has(name) && (name !== 'nllWeight' || nllRows > 0))
  if (absent.length > 0) throw new TypeError(`${loss} needs ${absent.join(', ')}`)
  return given
}

/** [rows]: sums of log π, with the loss's own weights of tokens where it has such. */
export function sequenceSums(
  { tokenWeights }: BoundPreferenceLoss,
  pairs: number,
  logprobs: tf.Tensor,
  mask: tf.Tensor,
) {
  if (!tokenWeights) return tf.sum(tf.mul(logprobs, mask), 1)
  const own = tokenWeights(tf.slice(mask, 0, 2 * pairs))
  const hasMore = (mask.shape[0] as number) > 2 * pairs
  const weights = hasMore ? tf.concat([own, tf.slice(mask, 2 * pairs, -1)]) : own
  return tf.sum(tf.mul(logprobs, weights), 1)
}

/** What {@link PairLogprobs} holds, from the sums and lengths of a batch's rows. */
export function readPairs(
  pairs: number,
  sums: tf.Tensor,
  tokens: tf.Tensor,
  given: ReadonlyMap<string, tf.Tensor>,
): PairLogprobs {
  const refMismatched = given.get('refMismatched')
  const ofLogits = given.get(OF_LOGITS) // [rows, length]
  return {
    chosen: tf.slice(sums, 0, pairs),
    rejected: tf.slice(sums, pairs, pairs),
    refChosen: given.get('refChosen')!,
    refRejected: given.get('refRejected')!,
    chosenTokens: tf.slice(tokens, 0, pairs),
    rejectedTokens: tf.slice(tokens, pairs, pairs),
    weight: given.get('pairWeight')!,
    mismatched: refMismatched && tf.sub(tf.slice(sums, 2 * pairs, pairs), refMismatched),
    rejectedOfLogits: ofLogits && tf.sum(tf.slice(ofLogits, [pairs, 0], [pairs, -1]), 1),
    rewardShift: given.get('rewardShift'),
    referenceSide: given.get('referenceSide'),
  }
}
