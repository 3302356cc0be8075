import type { Scalar, Tensor } from '@tensorflow/tfjs-core'

/**
 * A loss over one batch, as TF.js ops. `logprobs` [rows, length] holds log π of each next token, `mask` (same shape) is
 * 1 where that next token belongs to a completion (logprobs are 0 elsewhere), `extras` are the batch's further float
 * tensors, in the order the caller gave them. Column t speaks of token t + 1: completion token k of a sequence is in
 * column promptLength − 1 + k.
 */
export type LossFunction = (
  logprobs: Tensor,
  mask: Tensor,
  extras: readonly Tensor[],
) => { loss: Scalar; metrics: Scalar[] }
