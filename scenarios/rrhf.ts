import { defineMethod } from './method.js'

/**
 * RRHF (Yuan et al. 2023, arXiv 2304.05302): k answers of the initial model and of people, scored by a frozen reward model:
 *
 *     Σ_{r_i < r_j} max(0, p_i − p_j) − log π(y_best),   p = log π(y)/|y|
 */
export const rrhf = defineMethod({
  name: 'rrhf',
  title: 'RRHF',
  description: 'Length-normalised likelihoods in the order of the scores, and likelihood of the best.',
  defaults: {
    rater: 'reward-model',
    label: { by: 'points' },
    sampler: {
      writers: [
        { by: 'first', n: 4 },
        { by: 'people', n: 2 },
      ],
      sampling: { temperature: 0.8, topP: 1 },
    },
    training: { objective: 'rank', selection: { rule: 'all' }, mix: { coefficient: 1 } },
  },
  traits: {
    humanPreferences: 'reward model',
    onPolicy: 'initial model',
    feedback: 'offline',
    frozen: [],
    trainable: ['policy'],
  },
})
