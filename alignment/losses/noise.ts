import * as tf from '@tensorflow/tfjs-core'
import { logSigmoid } from './sigmoid.js'

/**
 * Robust DPO (Chowdhury et al. 2024, arXiv:2403.00409), per pair, with p = σ(βh):
 *
 *     L = [−(1 − ε) log p + ε log(1 − p)] / (1 − 2ε)
 *
 * If a share ε of the labels is flipped at random, its expectation is that of DPO on the right labels.
 * ∂L/∂h = −β(1 − p + ε(2p − 1)) / (1 − 2ε).
 *
 * @param h [P]
 * @param flipRate ε in [0, 0.5)
 */
export function robustDpo(h: tf.Tensor, beta: number, flipRate: number): tf.Tensor {
  const z = tf.mul(h, beta)
  const right = tf.mul(logSigmoid(z), -(1 - flipRate))
  const wrong = tf.mul(logSigmoid(tf.neg(z)), flipRate)
  return tf.div(tf.add(right, wrong), 1 - 2 * flipRate)
}

/**
 * EXO on pairs (Ji et al. 2024, arXiv:2402.00856): the reverse KL from smoothed labels, with p = σ(βh):
 *
 *     L = p·(log p − log(1 − ε)) + (1 − p)·(log(1 − p) − log ε)
 *
 * It is 0, and least, at p = 1 − ε.
 *
 * @param h [P]
 * @param labelSmoothing ε in (0, 0.5); TRL takes 1e-3
 */
export function exo(h: tf.Tensor, beta: number, labelSmoothing: number): tf.Tensor {
  const z = tf.mul(h, beta)
  const side = (x: tf.Tensor, label: number) => tf.mul(tf.sigmoid(x), tf.sub(logSigmoid(x), Math.log(label)))
  return tf.add(side(z, 1 - labelSmoothing), side(tf.neg(z), labelSmoothing))
}

/** e^80 is near the greatest float32; by then its weight in DiscoPOP is 0. */
const GREATEST_EXPONENT = 80

/**
 * DiscoPOP, a loss found by program search (Lu et al. 2024, arXiv:2406.08414), with z = βh and m = σ(z/τ):
 *
 *     L = (1 − m)·(−log σ(z)) + m·e^(−z)
 *
 * @param h [P]
 * @param tau τ; the paper's is 0.05
 */
export function discoPop(h: tf.Tensor, beta: number, tau: number): tf.Tensor {
  const z = tf.mul(h, beta)
  const modulation = tf.sigmoid(tf.div(z, tau))
  const logistic = tf.mul(tf.sub(1, modulation), tf.softplus(tf.neg(z)))
  const exponential = tf.mul(modulation, tf.exp(tf.minimum(tf.neg(z), GREATEST_EXPONENT)))
  return tf.add(logistic, exponential)
}
