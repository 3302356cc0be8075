import { defineMethod } from './method.js'

/**
 * Exploratory Preference Optimization (Xie et al. 2024, arXiv 2405.21046): online DPO with y₁ ~ π and y₂ ~ ref, and an optimism bonus
 * that pushes probability off the reference's samples: + α·log π(y₂).
 */
export const xpo = defineMethod({
  name: 'xpo',
  title: 'Exploratory Preference Optimization',
  description: 'A sample of the policy against one of the reference, with a bonus for leaving what the reference says.',
  defaults: {
    staleness: { max: 1 },
    label: { by: 'pairs' },
    sampler: {
      writers: [
        { by: 'policy', n: 1 },
        { by: 'first', n: 1 },
      ],
      sampling: { temperature: 0.9, topP: 1 },
    },
    loss: { name: 'xpo' },
    training: { reference: 'first', selection: { rule: 'compared', ties: 'first' } },
  },
  traits: {
    humanPreferences: 'none',
    onPolicy: 'every step',
    feedback: 'online',
    frozen: ['reference', 'annotator'],
    trainable: ['policy'],
  },
})
