import * as tf from '@tensorflow/tfjs-core'
import type { LogitsReader } from '../../runtime/tensor/loss.js'
import { stopGradient, withoutGradient } from './stop-gradient.js'

/** Below every logit. */
const EXCLUDED = -1e9

export interface CringeOptions {
  /** The opponent is drawn from the k most likely other tokens. Default 1: the most likely one. */
  readonly k?: number
  /** Independent standard Gumbel numbers [N, V], by which it is drawn; needed where k > 1. */
  readonly gumbel?: tf.Tensor
}

/**
 * Binary Cringe (Adolphs et al. 2022, arXiv:2211.05826), per token. A token of a good sequence gives its cross-entropy. One
 * of a bad sequence is set against s*, the logit of another token, drawn from the softmax over the top k without it:
 *
 *     good:  L = −log softmax(s)[y]
 *     bad:   L = −log(e^{s*} / (e^{s*} + e^{s[y]})) = softplus(s[y] − s*)
 *
 * As in ParlAI both s* and s[y] have a gradient (the draw has none), and a batch's loss is the sum over N. It needs logits
 * of all tokens, not only log-probabilities of those written.
 *
 * @param logits [N, V]
 * @param tokens int32 [N]
 * @param isGood [N] of 1 and 0
 * @returns [N]
 */
export function binaryCringe(
  logits: tf.Tensor,
  tokens: tf.Tensor,
  isGood: tf.Tensor,
  options: CringeOptions = {},
): tf.Tensor {
  const own = tf.cast(tf.oneHot(tokens, logits.shape[1] as number), 'float32') // [N, V]
  const crossEntropy = tf.neg(tf.sum(tf.mul(tf.logSoftmax(logits), own), 1))
  const contrast = contrastOf(logits, own, options)
  return tf.add(tf.mul(crossEntropy, isGood), tf.mul(contrast, tf.sub(1, isGood)))
}

/** What binary Cringe is of tokens of a bad sequence, against the most likely other token: logits [N, V], int32 [N] → [N]. */
export const cringeContrast: LogitsReader = (logits, tokens) =>
  contrastOf(logits, tf.cast(tf.oneHot(tokens, logits.shape[1]), 'float32'), {})

function contrastOf(logits: tf.Tensor, own: tf.Tensor, options: CringeOptions): tf.Tensor1D {
  const at = (where: tf.Tensor) => tf.sum(tf.mul(logits, where), 1) // [N]
  return tf.softplus(tf.sub(at(own), at(opponents(logits, own, options))))
}

/** One-hot of the drawn tokens, [N, V]; softmax sampling by the Gumbel trick. */
function opponents(logits: tf.Tensor, own: tf.Tensor, { k = 1, gumbel }: CringeOptions): tf.Tensor {
  if (k > 1 && !gumbel) throw new TypeError('binaryCringe with k > 1 needs Gumbel numbers')
  const choose = withoutGradient((values) => {
    const others = tf.add(values, tf.mul(own, EXCLUDED))
    const least = tf.min(tf.topk(others, k).values, 1, true)
    const chances = gumbel ? tf.add(others, gumbel) : others
    const among = tf.where(tf.greaterEqual(others, least), chances, tf.fill(others.shape, EXCLUDED))
    return tf.cast(tf.oneHot(tf.argMax(among, 1) as tf.Tensor1D, others.shape[1] as number), 'float32')
  })
  return choose(logits)
}

export interface CringeGateOptions {
  /** b, in nats. */
  readonly margin: number
  /** τ, in nats. */
  readonly temperature: number
  /** Whether the gate is a constant to the gradient. */
  readonly detached: boolean
}

/**
 * Pairwise Cringe (Xu et al. 2023, arXiv:2312.16682): binary Cringe with y_w as the good and y_l as the bad sequence, behind
 * a gate that shuts once the policy prefers y_w by the margin:
 *
 *     L = σ((b − M)/τ)·(L_w + L_l),    M = log π(y_w) − log π(y_l)
 *
 * **Not verified against the paper's text or its code** (none is public): whether the gate has a gradient, and the values
 * of b and τ. So all three are asked for, and have no default here.
 *
 * @param losses [P] of L_w + L_l, sums of {@link binaryCringe} over the two sequences
 * @param chosen [P] log π(y_w)
 * @param rejected [P] log π(y_l)
 */
export function pairwiseCringe(
  losses: tf.Tensor,
  chosen: tf.Tensor,
  rejected: tf.Tensor,
  { margin, temperature, detached }: CringeGateOptions,
): tf.Tensor {
  const gate = tf.sigmoid(tf.div(tf.sub(margin, tf.sub(chosen, rejected)), temperature))
  return tf.mul(losses, detached ? stopGradient(gate) : gate)
}
