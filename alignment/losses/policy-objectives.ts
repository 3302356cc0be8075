import * as tf from '@tensorflow/tfjs-core'
import { type LossFunction, meanOf } from '../../runtime/tensor/loss.js'
import { type Correction, importanceWeights } from './importance.js'
import { nashMd } from './online.js'
import { ppoPolicyLoss, ppoValueLoss, reinforce } from './policy-gradient.js'

export interface PpoOptions {
  /** N: rows of rollouts, padding included. */
  readonly rollouts: number
  /** ε of the policy's ratio. Default 0.2. */
  readonly clip?: number
  /** ε of the values, in units of reward; 0 does not clip. Default 0.2. */
  readonly valueClip?: number
  /** Weight of the value loss. Default 0.1; 0 where there is no value head. */
  readonly valueCoefficient?: number
  /** R: rows of pretraining text (PPO-ptx). Default 0. */
  readonly pretrainRows?: number
  /** γ of InstructGPT: weight of their negative log-likelihood. Default 27.8. */
  readonly pretrainCoefficient?: number
}

/** Extras of {@link ppo}, in their order, each of the shape of `logprobs`; `values` come from a head at the same positions. */
export const PPO_EXTRAS = ['values', 'oldLogprobs', 'advantages', 'returns', 'oldValues'] as const
export const PPO_METRICS = ['policy', 'value', 'oldKl', 'clipFraction'] as const

/**
 * PPO over one batch of completions (InstructGPT, Ouyang et al. 2022, arXiv:2203.02155), with the pretraining mix of PPO-ptx.
 *
 * Rows: [rollouts × N, pretrain × R]. A row whose mask is 0 throughout is padding. Means are over tokens:
 *
 *     loss = mean(ppoPolicyLoss) + c_v·mean(ppoValueLoss) + γ·mean(−log π of pretraining tokens)
 *
 * Metrics: the policy's and the value's loss, k3 estimate of KL(π_old ‖ π) a token, fraction of tokens whose ratio is clipped.
 */
export function ppo(options: PpoOptions): LossFunction {
  const { rollouts, clip = 0.2, valueClip = 0.2, valueCoefficient = 0.1 } = options
  const { pretrainRows = 0, pretrainCoefficient = 27.8 } = options
  return (logprobs, mask, extras, meanOver = meanOf) => {
    if (extras.length < PPO_EXTRAS.length) throw new TypeError(`ppo needs ${PPO_EXTRAS.join(', ')}`)
    const own = (rows: tf.Tensor) => tf.slice(rows, 0, rollouts)
    const [values, old, advantages, returns, oldValues] = extras.map(own)
    const [taken, weight] = [own(logprobs), own(mask)]
    const tokens = tf.sum(weight)
    const mean = (each: tf.Tensor) => meanOver(tf.sum(tf.mul(each, weight)), tokens, 1)

    const policy = mean(ppoPolicyLoss(taken, old!, advantages!, clip))
    const value = mean(ppoValueLoss(values!, oldValues!, returns!, valueClip > 0 ? valueClip : undefined))
    const logRatio = tf.clipByValue(tf.mul(tf.sub(taken, old!), weight), -20, 20)
    const ratio = tf.exp(logRatio)
    const oldKl = mean(tf.sub(tf.sub(ratio, logRatio), 1))
    const clipped = mean(tf.cast(tf.greater(tf.abs(tf.sub(ratio, 1)), clip), 'float32'))
    const loss = tf.add(policy, tf.mul(value, valueCoefficient)) as tf.Scalar
    const metrics = [policy, value, oldKl, clipped]
    if (pretrainRows === 0) return { loss, metrics }

    const rest = (rows: tf.Tensor) => tf.slice(rows, [rollouts, 0], [pretrainRows, -1])
    const text = tf.sum(tf.mul(rest(logprobs), rest(mask)))
    const nll = meanOver(tf.neg(text), tf.sum(rest(mask)), 1)
    return { loss: tf.add(loss, tf.mul(nll, pretrainCoefficient)), metrics }
  }
}

export interface ReinforceOptions {
  /** Corrects samples that an older policy wrote; then `behaviour` is needed. Default none. */
  readonly correction?: Correction | undefined
}

export const REINFORCE_METRICS = ['policy', 'meanWeight'] as const

/**
 * REINFORCE over one batch of completions, for RLOO's advantages and others.
 *
 * Extras: `advantages` [rows] of whole completions, then with a correction `behaviour`, of the shape of `logprobs`. A row
 * whose mask is 0 throughout is padding.
 *
 *     loss = Σ_rows −A·Σ_t w·log π_t / max(1, rows that are not padding)
 *
 * with w of {@link importanceWeights}, 1 without a correction. Metrics: the loss, and the mean of w over tokens.
 */
export function reinforceObjective({ correction }: ReinforceOptions = {}): LossFunction {
  return (logprobs, mask, [advantages, behaviour], meanOver = meanOf) => {
    if (!advantages) throw new TypeError('reinforce needs advantages')
    if (correction && !behaviour) throw new TypeError('a correction needs the log-probabilities of the writing policy')
    const ratios =
      correction && behaviour ? importanceWeights(logprobs, behaviour, mask, correction) : tf.onesLike(advantages)
    const weight = tf.mul(mask, ratios.rank === 2 ? ratios : tf.expandDims(ratios, 1)) // [rows, length]
    const sums = tf.sum(tf.mul(logprobs, weight), 1)
    const rows = tf.sum(tf.cast(tf.greater(tf.sum(mask, 1), 0), 'float32'))
    const loss = meanOver(tf.sum(reinforce(sums, advantages)), rows, 1)
    return { loss, metrics: [loss, meanOver(tf.sum(weight), tf.sum(mask), 1)] }
  }
}

export interface NashMdObjectiveOptions {
  /** τ of {@link nashMd}. */
  readonly tau: number
}

export const NASH_MD_METRICS = ['policy', 'preference', 'sequenceKl'] as const

/**
 * Nash-MD-PG over one batch of the policy's own completions. Extras: `reference` [rows] (sequence sums of log μ) and
 * `preference` [rows] (P that it beats the opponent's completion). A row whose mask is 0 throughout is padding. Metrics, means
 * over rows: the surrogate, the preference, and log π(y) − log μ(y).
 */
export function nashMdObjective({ tau }: NashMdObjectiveOptions): LossFunction {
  return (logprobs, mask, [reference, preference], meanOver = meanOf) => {
    if (!reference || !preference) throw new TypeError('nash-md needs reference, preference')
    const sums = tf.sum(tf.mul(logprobs, mask), 1)
    const isRow = tf.cast(tf.greater(tf.sum(mask, 1), 0), 'float32')
    const count = tf.sum(isRow)
    const mean = (values: tf.Tensor) => meanOver(tf.sum(tf.mul(values, isRow)), count, 1)
    const loss = mean(nashMd(sums, reference, preference, tau))
    return { loss, metrics: [loss, mean(preference), mean(tf.sub(sums, reference))] }
  }
}
