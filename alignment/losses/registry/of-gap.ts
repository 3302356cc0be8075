import { z } from 'zod'
import { defineLoss, type PreferenceLoss } from '../define.js'
import { gapPerToken } from '../length.js'
import { hingeNorm, ipo } from '../margin.js'
import { discoPop, exo, robustDpo } from '../noise.js'
import { preferenceGap } from '../pair.js'
import { sigmoidPreferenceLoss } from '../sigmoid.js'
import { betaOf, gamma, rewardScale, smoothing } from './parameters.js'

/** Losses that look at the gap h = lr_w − lr_l. */
export const ofGap = {
  dpo: defineLoss({
    summary: 'DPO (Rafailov et al. 2023, arXiv:2305.18290)',
    formula: '−(1 − ε)·log σ(βh) − ε·log σ(−βh)',
    parameters: z.strictObject({ beta: betaOf(0.1), labelSmoothing: smoothing(0) }),
    rewardScale,
    perPair: (pair, o) => sigmoidPreferenceLoss(preferenceGap(pair), o.beta, o.labelSmoothing),
  }),
  cdpo: defineLoss({
    summary: 'cDPO: DPO with smoothed labels (Mitchell 2023)',
    formula: '−(1 − ε)·log σ(βh) − ε·log σ(−βh)',
    parameters: z.strictObject({ beta: betaOf(0.1), labelSmoothing: smoothing(0.1) }),
    rewardScale,
    perPair: (pair, o) => sigmoidPreferenceLoss(preferenceGap(pair), o.beta, o.labelSmoothing),
  }),
  'robust-dpo': defineLoss({
    summary: 'robust DPO: unbiased under flipped labels (Chowdhury et al. 2024, arXiv:2403.00409)',
    formula: '[−(1 − ε)·log σ(βh) + ε·log σ(−βh)] / (1 − 2ε)',
    parameters: z.strictObject({ beta: betaOf(0.1), flipRate: smoothing(0.1) }),
    rewardScale,
    perPair: (pair, o) => robustDpo(preferenceGap(pair), o.beta, o.flipRate),
  }),
  ipo: defineLoss({
    summary: 'IPO (Azar et al. 2023, arXiv:2310.12036)',
    formula: '(h − 1/(2τ))²',
    parameters: z.strictObject({
      tau: z.number().positive().default(0.1).describe('τ: strength of the regularisation; the gap’s target is 1/(2τ)'),
      per: z.enum(['sequence', 'token']).default('sequence').describe('log-ratios as sums (the paper) or means (TRL)'),
    }),
    rewardScale: (o) => o.tau,
    perPair: (pair, o) => ipo(o.per === 'token' ? gapPerToken(pair) : preferenceGap(pair), o.tau),
  }),
  'hinge-norm': defineLoss({
    summary: 'hinge-norm (RSO, Liu et al. 2023, arXiv:2309.06657); TRL’s hinge',
    formula: 'max(0, 1 − γh)',
    parameters: z.strictObject({ gamma }),
    rewardScale: (o) => o.gamma,
    perPair: (pair, o) => hingeNorm(preferenceGap(pair), o.gamma),
  }),
  'sigmoid-norm': defineLoss({
    summary: 'sigmoid-norm (RSO, Liu et al. 2023, arXiv:2309.06657): DPO’s form with a γ of its own',
    formula: '−log σ(γh)',
    parameters: z.strictObject({ gamma }),
    rewardScale: (o) => o.gamma,
    perPair: (pair, o) => sigmoidPreferenceLoss(preferenceGap(pair), o.gamma),
  }),
  spin: defineLoss({
    summary:
      'SPIN (Chen et al. 2024, arXiv:2401.01335): DPO’s form; the reference is the iterate that wrote the losers',
    formula: '−log σ(βh)',
    parameters: z.strictObject({ beta: betaOf(0.1).describe('λ of the paper; 5 in its last iteration') }),
    rewardScale,
    perPair: (pair, o) => sigmoidPreferenceLoss(preferenceGap(pair), o.beta),
  }),
  exo: defineLoss({
    summary: 'EXO on pairs (Ji et al. 2024, arXiv:2402.00856)',
    formula: 'p·(log p − log(1 − ε)) + (1 − p)·(log(1 − p) − log ε); p = σ(βh)',
    parameters: z.strictObject({
      beta: betaOf(0.1),
      labelSmoothing: z.number().positive().lt(0.5).default(1e-3).describe('ε of the smoothed labels; not 0'),
    }),
    rewardScale,
    perPair: (pair, o) => exo(preferenceGap(pair), o.beta, o.labelSmoothing),
  }),
  discopop: defineLoss({
    summary: 'DiscoPOP (Lu et al. 2024, arXiv:2406.08414)',
    formula: '(1 − m)·(−log σ(βh)) + m·e^(−βh); m = σ(βh/τ)',
    parameters: z.strictObject({
      beta: betaOf(0.1),
      tau: z.number().positive().default(0.05).describe('τ: width of the step between the two forms'),
    }),
    rewardScale,
    perPair: (pair, o) => discoPop(preferenceGap(pair), o.beta, o.tau),
  }),
} satisfies Record<string, PreferenceLoss>
