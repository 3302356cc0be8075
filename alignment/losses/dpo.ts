import type { LossFunction } from '../../runtime/tensor/loss.js'
import { preferenceObjective } from './objective.js'
import { preferenceLoss } from './option.js'

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
 * Direct preference optimisation as a loss over one batch: {@link preferenceObjective} with the loss `dpo`.
 *
 * Rows: [chosen × P, rejected × P, nll × R]. Extras, in order: `refChosen` [P] and `refRejected` [P] (sequence sums of
 * log ref), `pairWeight` [P] (0 is padding), `nllWeight` [R] (may be absent or of length 0 when R = 0), and with
 * `behaviour` the log-probabilities of the writing policy, of the shape of `logprobs`.
 *
 *     loss = Σ w·L(h) / max(1, Σ w)  +  c · Σ w·(−log π) / max(1, Σ w·tokens)
 */
export function dpo({ beta, labelSmoothing = 0, ...options }: DpoOptions): LossFunction {
  return preferenceObjective({ ...options, loss: preferenceLoss({ name: 'dpo', beta, labelSmoothing }) }).loss
}
