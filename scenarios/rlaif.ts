import { z } from 'zod'
import { defineMethod } from './method.js'

/**
 * RLAIF (Lee et al. 2023, arXiv 2309.00267): an annotator compares two answers of the SFT model in both orders; its soft labels train a
 * reward model; REINFORCE with a baseline and a price of KL. `direct=true`: the annotator's scores are the reward (d-RLAIF).
 */
export const rlaif = defineMethod({
  name: 'rlaif',
  title: 'RLAIF',
  description: 'An annotator’s soft labels train a reward model, whose scores train the policy.',
  options: {
    direct: z.boolean().default(false).describe('the annotator scores the policy’s answers; there is no reward model'),
  },
  defaults: {
    rater: 'reward-model',
    label: { by: 'points' },
    rewardModel: { labels: 'annotator', prompts: 3000, answers: 2 },
    staleness: { max: 1 },
    sampler: { writers: [{ by: 'policy', n: 4 }], sampling: { temperature: 1, topP: 1 } },
    training: {
      objective: 'reinforce',
      reference: 'first',
      selection: { rule: 'all' },
      policy: { kl: 0.1 },
      optimizer: { learningRate: 4e-4 },
    },
  },
  arrange: ({ direct }) => (direct ? { rater: 'annotator' } : {}),
  traits: {
    humanPreferences: 'none',
    onPolicy: 'every step',
    feedback: 'online',
    frozen: ['reference', 'reward model', 'annotator'],
    trainable: ['policy'],
  },
})
