import { z } from 'zod'
import { defineMethod } from './method.js'

/**
 * SLiC-HF (Zhao et al. 2023, arXiv 2305.10425): max(0, δ − log π(y⁺) + log π(y⁻)) − λ·log π(y_ref), without a reference model.
 * `data`: people's pairs (direct), or the SFT model's candidates, ranked by a model of people's preferences (sample-rank).
 */
export const slicHf = defineMethod({
  name: 'slic-hf',
  title: 'SLiC-HF',
  description: 'A calibration hinge on sequence likelihoods beside the likelihood of a target.',
  options: {
    data: z
      .enum(['sample-rank', 'direct'])
      .default('sample-rank')
      .describe('the SFT model’s candidates, ranked by a reward model; or people’s pairs'),
  },
  defaults: {
    rater: 'reward-model',
    iterations: [512, 512],
    label: { by: 'tournament' },
    rewardModel: { kind: 'pairwise' },
    sampler: { writers: [{ by: 'first', n: 6 }], sampling: { temperature: 0.7, topP: 1, topK: 40 } },
    loss: { name: 'slic', delta: 1 },
    training: {
      reference: 'first',
      selection: { rule: 'compared' },
      mix: { from: 'chosen', coefficient: 0.1, per: 'sequence' },
    },
  },
  arrange: ({ data }, { training }) =>
    data === 'direct'
      ? { rater: 'people', training: training.map((each) => ({ ...each, selection: { rule: 'best-worst' } })) }
      : {},
  traits: {
    humanPreferences: 'pairs',
    onPolicy: 'initial model',
    feedback: 'offline',
    frozen: ['reward model (sample-rank)'],
    trainable: ['policy'],
  },
})
