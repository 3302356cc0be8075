import * as tf from '@tensorflow/tfjs-core'
import { z } from 'zod'
import { aot } from './aot.js'
import { defineLoss, type PreferenceLoss } from './define.js'
import { kto, ktoReferencePoint } from './kto.js'
import { gapPerToken, ldWeights, lnDpo, rDpo } from './length.js'
import { hinge, hingeNorm, ipo } from './margin.js'
import { discoPop, exo, robustDpo } from './noise.js'
import { xpo } from './online.js'
import { logRatios, preferenceGap } from './pair.js'
import { apoDown, apoZero, bcoPair, nca, sppoHard } from './ratio.js'
import { orpo, simpo } from './reference-free.js'
import { sigmoidPreferenceLoss } from './sigmoid.js'

const betaOf = (value: number) =>
  z.number().positive().default(value).describe('strength of the pull to the reference; larger stays nearer')
const gamma = z.number().positive().default(0.05).describe('γ: scale of the log-ratios, apart from RSO’s own β')
const smoothing = (value: number) =>
  z.number().min(0).lt(0.5).default(value).describe('ε: assumed share of wrong labels')
const beta = z.strictObject({ beta: betaOf(0.1) })
const rewardScale = (options: { readonly beta: number }) => options.beta

/** Losses that look at the gap h = lr_w − lr_l. */
const ofGap = {
  dpo: defineLoss({
    summary: 'DPO (Rafailov et al. 2023, arXiv:2305.18290)',
    parameters: z.strictObject({ beta: betaOf(0.1), labelSmoothing: smoothing(0) }),
    rewardScale,
    perPair: (pair, o) => sigmoidPreferenceLoss(preferenceGap(pair), o.beta, o.labelSmoothing),
  }),
  cdpo: defineLoss({
    summary: 'cDPO: DPO with smoothed labels (Mitchell 2023)',
    parameters: z.strictObject({ beta: betaOf(0.1), labelSmoothing: smoothing(0.1) }),
    rewardScale,
    perPair: (pair, o) => sigmoidPreferenceLoss(preferenceGap(pair), o.beta, o.labelSmoothing),
  }),
  'robust-dpo': defineLoss({
    summary: 'robust DPO: unbiased under flipped labels (Chowdhury et al. 2024, arXiv:2403.00409)',
    parameters: z.strictObject({ beta: betaOf(0.1), flipRate: smoothing(0.1) }),
    rewardScale,
    perPair: (pair, o) => robustDpo(preferenceGap(pair), o.beta, o.flipRate),
  }),
  ipo: defineLoss({
    summary: 'IPO (Azar et al. 2023, arXiv:2310.12036)',
    parameters: z.strictObject({
      tau: z.number().positive().default(0.1).describe('τ: strength of the regularisation; the gap’s target is 1/(2τ)'),
      per: z.enum(['sequence', 'token']).default('sequence').describe('log-ratios as sums (the paper) or means (TRL)'),
    }),
    rewardScale: (o) => o.tau,
    perPair: (pair, o) => ipo(o.per === 'token' ? gapPerToken(pair) : preferenceGap(pair), o.tau),
  }),
  'hinge-norm': defineLoss({
    summary: 'hinge-norm (RSO, Liu et al. 2023, arXiv:2309.06657); TRL’s hinge',
    parameters: z.strictObject({ gamma }),
    rewardScale: (o) => o.gamma,
    perPair: (pair, o) => hingeNorm(preferenceGap(pair), o.gamma),
  }),
  'sigmoid-norm': defineLoss({
    summary: 'sigmoid-norm (RSO, Liu et al. 2023, arXiv:2309.06657): DPO’s form with a γ of its own',
    parameters: z.strictObject({ gamma }),
    rewardScale: (o) => o.gamma,
    perPair: (pair, o) => sigmoidPreferenceLoss(preferenceGap(pair), o.gamma),
  }),
  spin: defineLoss({
    summary:
      'SPIN (Chen et al. 2024, arXiv:2401.01335): DPO’s form; the reference is the iterate that wrote the losers',
    parameters: z.strictObject({ beta: betaOf(0.1).describe('λ of the paper; 5 in its last iteration') }),
    rewardScale,
    perPair: (pair, o) => sigmoidPreferenceLoss(preferenceGap(pair), o.beta),
  }),
  exo: defineLoss({
    summary: 'EXO on pairs (Ji et al. 2024, arXiv:2402.00856)',
    parameters: z.strictObject({
      beta: betaOf(0.1),
      labelSmoothing: z.number().positive().lt(0.5).default(1e-3).describe('ε of the smoothed labels; not 0'),
    }),
    rewardScale,
    perPair: (pair, o) => exo(preferenceGap(pair), o.beta, o.labelSmoothing),
  }),
  discopop: defineLoss({
    summary: 'DiscoPOP (Lu et al. 2024, arXiv:2406.08414)',
    parameters: z.strictObject({
      beta: betaOf(0.1),
      tau: z.number().positive().default(0.05).describe('τ: width of the step between the two forms'),
    }),
    rewardScale,
    perPair: (pair, o) => discoPop(preferenceGap(pair), o.beta, o.tau),
  }),
} satisfies Record<string, PreferenceLoss>

/** Losses that look at each side. */
const ofSides = {
  'sppo-hard': defineLoss({
    summary: 'SPPO, hard labels (Wu et al. 2024, arXiv:2405.00675)',
    parameters: beta,
    rewardScale,
    perPair: (pair, o) => sppoHard(logRatios(pair), o.beta),
  }),
  nca: defineLoss({
    summary: 'NCA on pairs (Chen et al. 2024, arXiv:2402.05369)',
    parameters: beta,
    rewardScale,
    perPair: (pair, o) => nca(logRatios(pair), o.beta),
  }),
  'bco-pair': defineLoss({
    summary: 'BCO on pairs (Jung et al. 2024, arXiv:2404.04656)',
    parameters: beta,
    needs: ['rewardShift'],
    rewardScale,
    perPair: (pair, o) => bcoPair(logRatios(pair), o.beta, pair.rewardShift),
  }),
  'apo-zero': defineLoss({
    summary: 'APO-zero (D’Oosterlinck et al. 2024, arXiv:2408.06266)',
    parameters: beta,
    rewardScale,
    perPair: (pair, o) => apoZero(logRatios(pair), o.beta),
  }),
  'apo-down': defineLoss({
    summary: 'APO-down (D’Oosterlinck et al. 2024, arXiv:2408.06266)',
    parameters: beta,
    rewardScale,
    perPair: (pair, o) => apoDown(logRatios(pair), o.beta),
  }),
  aot: defineLoss({
    summary: 'AOT (Melnyk et al. 2024, arXiv:2406.05882)',
    parameters: z.strictObject({
      beta: betaOf(0.1),
      paired: z.boolean().default(false).describe('sort policy and reference gaps, not chosen and rejected ratios'),
      labelSmoothing: smoothing(0),
    }),
    isSeparable: false,
    rewardScale,
    perPair: (pair, o) => aot(pair, o.beta, o),
  }),
  kto: defineLoss({
    summary: 'KTO (Ethayarajh et al. 2024, arXiv:2402.01306), chosen as desirable and rejected as undesirable',
    parameters: z.strictObject({
      beta: betaOf(0.1),
      desirableWeight: z.number().min(0).default(1).describe('λ_D'),
      undesirableWeight: z.number().min(0).default(1).describe('λ_U'),
    }),
    needs: ['mismatched'],
    isSeparable: false,
    rewardScale,
    perPair(pair, o) {
      const { chosen, rejected } = logRatios(pair)
      if (!pair.mismatched) throw new TypeError('kto needs the log-ratios of mismatched completions')
      const z0 = ktoReferencePoint(pair.mismatched, pair.weight)
      return tf.add(kto(chosen, tf.onesLike(chosen), z0, o), kto(rejected, tf.zerosLike(rejected), z0, o))
    },
  }),
  xpo: defineLoss({
    summary: 'XPO (Xie et al. 2024, arXiv:2405.21046): DPO plus a bonus for optimism',
    parameters: z.strictObject({
      beta: betaOf(0.1),
      alpha: z.number().min(0).default(1e-5).describe('α: weight of the bonus'),
    }),
    needs: ['referenceSide'],
    rewardScale,
    perPair(pair, o) {
      const side = pair.referenceSide
      if (!side) throw new TypeError('xpo needs to know which completion the reference wrote')
      const sample = tf.add(tf.mul(pair.chosen, side), tf.mul(pair.rejected, tf.sub(1, side)))
      return xpo(preferenceGap(pair), sample, o.beta, o.alpha)
    },
  }),
} satisfies Record<string, PreferenceLoss>

/** Losses that look at lengths. */
const ofLengths = {
  'ln-dpo': defineLoss({
    summary: 'length-normalised DPO (Tülu 3, Lambert et al. 2024, arXiv:2411.15124)',
    parameters: z.strictObject({ beta: betaOf(5) }),
    rewardScale,
    perPair: (pair, o) => lnDpo(pair, o.beta),
  }),
  'r-dpo': defineLoss({
    summary: 'R-DPO: a price on length (Park et al. 2024, arXiv:2403.19159)',
    parameters: z.strictObject({ beta: betaOf(0.1), alpha: z.number().describe('α: price of a token, in reward') }),
    rewardScale,
    perPair: (pair, o) => rDpo(pair, o.beta, o.alpha),
  }),
  'ld-dpo': defineLoss({
    summary: 'LD-DPO: tokens beyond the shared length count less (Liu et al. 2024, arXiv:2409.06411)',
    parameters: z.strictObject({
      beta: betaOf(0.1),
      alpha: z.number().min(0).max(1).describe('α: weight of tokens beyond the length that both completions share'),
    }),
    rewardScale,
    perPair: (pair, o) => sigmoidPreferenceLoss(preferenceGap(pair), o.beta),
    tokenWeights: (mask, o) => ldWeights(mask, o.alpha),
  }),
} satisfies Record<string, PreferenceLoss>

/** Losses without a reference. */
const ofPolicyAlone = {
  slic: defineLoss({
    summary: 'SLiC-HF’s calibration hinge (Zhao et al. 2023, arXiv:2305.10425); RSO’s hinge with δ = 1/γ',
    parameters: z.strictObject({ delta: z.number().min(0).default(1).describe('δ: margin, in nats') }),
    usesReference: false,
    perPair: (pair, o) => hinge(pair.chosen, pair.rejected, o.delta),
  }),
  click: defineLoss({
    summary: 'Click’s contrastive likelihood (Zheng et al. 2023, arXiv:2306.03350)',
    parameters: z.strictObject({ alpha: z.number().min(0).default(15).describe('α: margin, in nats; 20 to detoxify') }),
    usesReference: false,
    perPair: (pair, o) => hinge(pair.chosen, pair.rejected, o.alpha),
  }),
  simpo: defineLoss({
    summary: 'SimPO (Meng et al. 2024, arXiv:2405.14734)',
    parameters: z.strictObject({
      beta: z.number().positive().default(2).describe('scale of mean log-probabilities'),
      gamma: z.number().min(0).default(1).describe('γ: target margin; the paper starts from β/2'),
    }),
    usesReference: false,
    perPair: (pair, o) => simpo(pair, o.beta, o.gamma),
  }),
  orpo: defineLoss({
    summary: 'ORPO (Hong et al. 2024, arXiv:2403.07691)',
    parameters: z.strictObject({ lambda: z.number().min(0).default(0.1).describe('λ: weight of the odds ratio') }),
    usesReference: false,
    perPair: (pair, o) => orpo(pair, o.lambda),
  }),
} satisfies Record<string, PreferenceLoss>

/** Every loss of the pairwise family, by name. */
export const preferenceLosses = { ...ofGap, ...ofSides, ...ofLengths, ...ofPolicyAlone }

export type PreferenceLossName = keyof typeof preferenceLosses
