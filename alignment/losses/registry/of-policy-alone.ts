import { z } from 'zod'
import { defineLoss, type PreferenceLoss } from '../define.js'
import { hinge } from '../margin.js'
import { orpo, simpo } from '../reference-free.js'

/** Losses without a reference. */
export const ofPolicyAlone = {
  slic: defineLoss({
    summary: 'SLiC-HF’s calibration hinge (Zhao et al. 2023, arXiv:2305.10425); RSO’s hinge with δ = 1/γ',
    formula: 'max(0, δ − log π(y_w) + log π(y_l))',
    parameters: z.strictObject({ delta: z.number().min(0).default(1).describe('δ: margin, in nats') }),
    usesReference: false,
    perPair: (pair, o) => hinge(pair.chosen, pair.rejected, o.delta),
  }),
  click: defineLoss({
    summary: 'Click’s contrastive likelihood (Zheng et al. 2023, arXiv:2306.03350)',
    formula: 'max(0, α − log π(y_w) + log π(y_l))',
    parameters: z.strictObject({ alpha: z.number().min(0).default(15).describe('α: margin, in nats; 20 to detoxify') }),
    usesReference: false,
    perPair: (pair, o) => hinge(pair.chosen, pair.rejected, o.alpha),
  }),
  simpo: defineLoss({
    summary: 'SimPO (Meng et al. 2024, arXiv:2405.14734)',
    formula: '−log σ(β·log π(y_w)/|y_w| − β·log π(y_l)/|y_l| − γ)',
    parameters: z.strictObject({
      beta: z.number().positive().default(2).describe('scale of mean log-probabilities'),
      gamma: z.number().min(0).default(1).describe('γ: target margin; the paper starts from β/2'),
    }),
    usesReference: false,
    perPair: (pair, o) => simpo(pair, o.beta, o.gamma),
  }),
  orpo: defineLoss({
    summary: 'ORPO (Hong et al. 2024, arXiv:2403.07691)',
    formula: '−log P_w − λ·log σ(log odds P_w − log odds P_l); P = exp(log π(y)/|y|), odds P = P/(1 − P)',
    parameters: z.strictObject({ lambda: z.number().min(0).default(0.1).describe('λ: weight of the odds ratio') }),
    usesReference: false,
    perPair: (pair, o) => orpo(pair, o.lambda),
  }),
} satisfies Record<string, PreferenceLoss>
