import { defineMethod } from './method.js'

/**
 * Reinforced Self-Training (Gulcehre et al. 2023, arXiv 2308.08998). An iteration is a Grow step: samples of the policy, scored by a frozen
 * reward model and imitated, all of them (τ = 0). At its end Improve steps imitate those above rising thresholds.
 */
export const rest = defineMethod({
  name: 'rest',
  title: 'Reinforced Self-Training',
  description: 'Grow: sample and score; Improve: imitate what is above a rising threshold.',
  defaults: {
    rater: 'reward-model',
    label: { by: 'points' },
    sampler: { writers: [{ by: 'policy', n: 8 }], sampling: { temperature: 1, topP: 1 } },
    iterations: [512, 512],
    training: {
      objective: 'nll',
      selection: { rule: 'all' },
      improve: [0.7, 0.8, 0.9],
      rowsPerStep: 128,
      optimizer: { learningRate: 4e-4 },
    },
  },
  traits: {
    humanPreferences: 'reward model',
    onPolicy: 'per iteration',
    feedback: 'per iteration',
    frozen: ['reward model'],
    trainable: ['policy'],
  },
})
