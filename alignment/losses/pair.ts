import * as tf from '@tensorflow/tfjs-core'

/**
 * The P pairs of a batch as the losses of the pairwise family see them. Every tensor is [P]; log-probabilities are
 * sums over a completion's tokens (its end-of-sequence token included), in nats.
 */
export interface PairLogprobs {
  /** log π(y_w): the policy's, which alone has a gradient. */
  readonly chosen: tf.Tensor
  /** log π(y_l). */
  readonly rejected: tf.Tensor
  /** log ref(y_w): the frozen reference's. */
  readonly refChosen: tf.Tensor
  readonly refRejected: tf.Tensor
  /** |y_w|, in tokens. */
  readonly chosenTokens: tf.Tensor
  readonly rejectedTokens: tf.Tensor
  /** 1; 0 marks padding. */
  readonly weight: tf.Tensor
  /** log π(y') − log ref(y') of a completion of another prompt of the batch, for KTO's reference point. */
  readonly mismatched?: tf.Tensor | undefined
  /** What the loss's `ofLogits` gives, summed over the tokens of y_l. */
  readonly rejectedOfLogits?: tf.Tensor | undefined
  /** [1], the running mean of the implicit rewards, for BCO; without it 0. */
  readonly rewardShift?: tf.Tensor | undefined
  /** 1 where the chosen completion is the one that the reference wrote, 0 where the rejected one is, for XPO. */
  readonly referenceSide?: tf.Tensor | undefined
}

/** lr = log π − log ref of the chosen and of the rejected completions, each [P]. */
export interface LogRatios {
  readonly chosen: tf.Tensor
  readonly rejected: tf.Tensor
}

export function logRatios(pair: PairLogprobs): LogRatios {
  return { chosen: tf.sub(pair.chosen, pair.refChosen), rejected: tf.sub(pair.rejected, pair.refRejected) }
}

/** h = lr(y_w) − lr(y_l), [P]: how much more the policy prefers the chosen completion than the reference does. */
export function preferenceGap(pair: PairLogprobs): tf.Tensor {
  const { chosen, rejected } = logRatios(pair)
  return tf.sub(chosen, rejected)
}

/** sum / tokens; a completion without tokens (padding) counts as one token long, so that it stays finite. */
export function perToken(sum: tf.Tensor, tokens: tf.Tensor): tf.Tensor {
  return tf.div(sum, tf.maximum(tokens, 1))
}
