import * as tf from '@tensorflow/tfjs-core'
import type { LogRatios } from './pair.js'
import { logSigmoid } from './sigmoid.js'

/*
 * Losses of a pair that look at each side by itself, not only at the difference: lr_w and lr_l are log π − log ref of
 * the chosen and of the rejected completion, sums over tokens, [P].
 */

/**
 * SPPO with hard labels (Wu et al. 2024, arXiv:2405.00675, eq. 4.7 with P = 1 for the winner and 0 for the loser):
 *
 *     L = (lr_w − 1/(2β))² + (lr_l + 1/(2β))²
 *
 * 1/β is the paper's η.
 */
export function sppoHard({ chosen, rejected }: LogRatios, beta: number): tf.Tensor {
  const target = 1 / (2 * beta)
  return tf.add(tf.square(tf.sub(chosen, target)), tf.square(tf.add(rejected, target)))
}

/**
 * NCA on pairs, noise-contrastive alignment (Chen et al. 2024, arXiv:2402.05369):
 *
 *     L = −log σ(β·lr_w) − ½ log σ(−β·lr_w) − ½ log σ(−β·lr_l)
 *
 * It keeps the chosen likelihood from falling: its chosen side alone is least at σ(β·lr_w) = ⅔.
 */
export function nca({ chosen, rejected }: LogRatios, beta: number): tf.Tensor {
  const [w, l] = [tf.mul(chosen, beta), tf.mul(rejected, beta)]
  const noise = tf.add(logSigmoid(tf.neg(w)), logSigmoid(tf.neg(l)))
  return tf.neg(tf.add(logSigmoid(w), tf.mul(noise, 0.5)))
}

/**
 * BCO on pairs, a binary classifier's loss (Jung et al. 2024, arXiv:2404.04656):
 *
 *     L = −log σ(β·lr_w − δ) − log σ(−(β·lr_l − δ))
 *
 * @param shift δ: the running mean of the implicit rewards β·lr of both sides so far, kept by the caller and without a
 * gradient; 0 is TRL's form from 0.29 on. A number, or a scalar tensor where it changes from step to step
 */
export function bcoPair({ chosen, rejected }: LogRatios, beta: number, shift: number | tf.Tensor = 0): tf.Tensor {
  const w = logSigmoid(tf.sub(tf.mul(chosen, beta), shift))
  const l = logSigmoid(tf.neg(tf.sub(tf.mul(rejected, beta), shift)))
  return tf.neg(tf.add(w, l))
}

/**
 * APO-zero (D'Oosterlinck et al. 2024, arXiv:2408.06266): raises the chosen and lowers the rejected likelihood; for
 * chosen completions that are better than what the policy writes.
 *
 *     L = 1 − σ(β·lr_w) + σ(β·lr_l)
 */
export function apoZero({ chosen, rejected }: LogRatios, beta: number): tf.Tensor {
  return tf.add(tf.sub(1, tf.sigmoid(tf.mul(chosen, beta))), tf.sigmoid(tf.mul(rejected, beta)))
}

/**
 * APO-down (the same paper): lowers both, the rejected more; for chosen completions that are worse than the policy's.
 *
 *     L = σ(β·lr_w) + 1 − σ(β(lr_w − lr_l))
 */
export function apoDown({ chosen, rejected }: LogRatios, beta: number): tf.Tensor {
  const gap = tf.mul(tf.sub(chosen, rejected), beta)
  return tf.add(tf.sigmoid(tf.mul(chosen, beta)), tf.sub(1, tf.sigmoid(gap)))
}
