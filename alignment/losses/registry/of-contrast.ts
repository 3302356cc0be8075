import * as tf from '@tensorflow/tfjs-core'
import { z } from 'zod'
import { cringeContrast, pairwiseCringe } from '../cringe.js'
import { defineLoss, type PreferenceLoss } from '../define.js'

/** Losses that need all logits at a token, not only its log-probability. */
export const ofContrast = {
  cringe: defineLoss({
    summary: 'pairwise Cringe (Xu et al. 2023, arXiv:2312.16682); its gate is not verified against the paper',
    formula:
      'σ((b − M)/τ)·(−log π(y_w) + Σ_t softplus(s[y_l,t] − s*_t)); M = log π(y_w) − log π(y_l), s* the logit of the likeliest other token',
    parameters: z.strictObject({
      margin: z.number().describe('b: margin, in nats, beyond which the gate shuts'),
      temperature: z.number().positive().describe('τ: how softly the gate shuts, in nats'),
      detached: z.boolean().describe('whether the gate is a constant to the gradient'),
    }),
    usesReference: false,
    ofLogits: cringeContrast,
    perPair(pair, o) {
      if (!pair.rejectedOfLogits) throw new TypeError('cringe needs logits: train it by a trainer that gives them')
      const losses = tf.add(tf.neg(pair.chosen), pair.rejectedOfLogits) // cross-entropy of y_w, contrast of y_l
      return pairwiseCringe(losses, pair.chosen, pair.rejected, o)
    },
  }),
} satisfies Record<string, PreferenceLoss>
