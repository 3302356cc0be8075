import * as tf from '@tensorflow/tfjs-core'

/**
 * Σ sum / max(least, Σ count), where Σ runs over all micro-batches of a training step; `least` (default 1e-8) keeps an
 * empty step finite. `sum` is this micro-batch's part; `count` must not depend on the log-probabilities.
 */
export type Mean = (sum: tf.Tensor, count: tf.Tensor, least?: number) => tf.Scalar

/**
 * A loss over one batch, as TF.js ops. `logprobs` [rows, length] holds log π of each next token, `mask` (same shape) is
 * 1 where that next token belongs to a completion (logprobs are 0 elsewhere), `extras` are the batch's further float
 * tensors, in the order the caller gave them. Column t speaks of token t + 1: completion token k of a sequence is in
 * column promptLength − 1 + k.
 *
 * A loss that may be taken over micro-batches is a weighted sum of `mean`s, and so is each metric: then the micro-batches'
 * values and gradients add up to exactly those of one large batch. Without it (`meanOf`) the batch is all there is.
 */
export interface LossFunction {
  (
    logprobs: tf.Tensor,
    mask: tf.Tensor,
    extras: readonly tf.Tensor[],
    mean?: Mean,
  ): { loss: tf.Scalar; metrics: tf.Scalar[] }
  /** Asks for one more number of every completion token, which the loss gets before its extras. Default: none. */
  readonly ofLogits?: LogitsReader
}

/**
 * A number of each of M completion tokens, from the logits [M, V] at its position and the tokens themselves (int32 [M]) → [M].
 * Laid out as `logprobs` are: [rows, length], 0 where no completion token follows.
 */
export type LogitsReader = (logits: tf.Tensor2D, tokens: tf.Tensor1D) => tf.Tensor1D

/** The mean over one batch alone. */
export const meanOf: Mean = (sum, count, least = 1e-8) => tf.div(sum, tf.maximum(count, least))
