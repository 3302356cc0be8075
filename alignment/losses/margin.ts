import * as tf from '@tensorflow/tfjs-core'

/**
 * IPO (Azar et al. 2023, arXiv:2310.12036), per pair:
 *
 *     L = (h − 1/(2τ))²        ∂L/∂h = 2(h − 1/(2τ))
 *
 * With labels that are always right DPO drives π(y_l) to 0 for any β; this stops at h = 1/(2τ). The paper's h is a
 * difference of sums; TRL and HALOs take means over tokens, as the authors say they did: give one or the other.
 *
 * @param h [P]
 * @param tau τ > 0, strength of the regularisation; larger stays nearer to the reference
 */
export function ipo(h: tf.Tensor, tau: number): tf.Tensor {
  return tf.square(tf.sub(h, 1 / (2 * tau)))
}

/**
 * Hinge on log-probabilities without a reference: the calibration loss of SLiC-HF (Zhao et al. 2023, arXiv:2305.10425)
 * and the contrastive loss of Click (Zheng et al. 2023, arXiv:2306.03350), which calls the margin α:
 *
 *     L = max(0, δ − log π(y⁺) + log π(y⁻))        ∂L/∂log π(y⁺) = −1[log π(y⁺) − log π(y⁻) < δ]
 *
 * Both add a likelihood term: SLiC-HF λ·(−log π(y_ref)) of a whole sequence, Click the mean over a corpus's tokens.
 *
 * @param chosen [P] log π(y⁺), sums
 * @param rejected [P] log π(y⁻), sums
 * @param delta margin in nats. SLiC-HF 1; Click 20 (detoxification) or 15 (sentiment, repetition); RSO's "hinge" 1/γ
 */
export function hinge(chosen: tf.Tensor, rejected: tf.Tensor, delta: number): tf.Tensor {
  return tf.relu(tf.sub(delta, tf.sub(chosen, rejected)))
}

/**
 * Hinge-norm: the hinge on what is normalised by the reference (RSO, Liu et al. 2023, arXiv:2309.06657):
 *
 *     L = max(0, 1 − γh)        ∂L/∂h = −γ·1[γh < 1]
 *
 * TRL and torchtune call it `hinge` or "RSO loss" and γ β. OAIF's "SLiC" is this with γ = 0.002.
 *
 * @param h [P]
 * @param gamma γ; RSO 0.05
 */
export function hingeNorm(h: tf.Tensor, gamma: number): tf.Tensor {
  return tf.relu(tf.sub(1, tf.mul(h, gamma)))
}
