import { z } from 'zod'
import { defineLoss, type PreferenceLoss } from '../define.js'
import { ldWeights, lnDpo, rDpo } from '../length.js'
import { preferenceGap } from '../pair.js'
import { sigmoidPreferenceLoss } from '../sigmoid.js'
import { betaOf, rewardScale } from './parameters.js'

/** Losses that look at lengths. */
export const ofLengths = {
  'ln-dpo': defineLoss({
    summary: 'length-normalised DPO (Tülu 3, Lambert et al. 2024, arXiv:2411.15124)',
    formula: '−log σ(β(lr_w/|y_w| − lr_l/|y_l|))',
    parameters: z.strictObject({ beta: betaOf(5) }),
    rewardScale,
    perPair: (pair, o) => lnDpo(pair, o.beta),
  }),
  'r-dpo': defineLoss({
    summary: 'R-DPO: a price on length (Park et al. 2024, arXiv:2403.19159)',
    formula: '−log σ(βh + α(|y_w| − |y_l|))',
    parameters: z.strictObject({ beta: betaOf(0.1), alpha: z.number().describe('α: price of a token, in reward') }),
    rewardScale,
    perPair: (pair, o) => rDpo(pair, o.beta, o.alpha),
  }),
  'ld-dpo': defineLoss({
    summary: 'LD-DPO: tokens beyond the shared length count less (Liu et al. 2024, arXiv:2409.06411)',
    formula: '−log σ(βh); log π of tokens beyond min(|y_w|, |y_l|) counts α times',
    parameters: z.strictObject({
      beta: betaOf(0.1),
      alpha: z.number().min(0).max(1).describe('α: weight of tokens beyond the length that both completions share'),
    }),
    rewardScale,
    perPair: (pair, o) => sigmoidPreferenceLoss(preferenceGap(pair), o.beta),
    tokenWeights: (mask, o) => ldWeights(mask, o.alpha),
  }),
} satisfies Record<string, PreferenceLoss>
