import { defineMethod } from './method.js'

/**
 * Iterative DPO (Xu et al. 2023, arXiv 2312.16682): each iteration samples N answers of its model, an external, fixed reward model scores
 * them, and the best against the worst make pairs; the iteration's model is the reference.
 */
export const iterativeDpo = defineMethod({
  name: 'iterative-dpo',
  title: 'Iterative DPO',
  description: 'Best against worst by a fixed reward model, an iteration at a time.',
  defaults: {
    rater: 'reward-model',
    label: { by: 'points' },
    sampler: { writers: [{ by: 'policy', n: 4 }], sampling: { temperature: 1, topP: 1 } },
    loss: { name: 'dpo', beta: 0.1 },
    training: { selection: { rule: 'best-worst' } },
  },
  traits: {
    humanPreferences: 'reward model',
    onPolicy: 'per iteration',
    feedback: 'per iteration',
    frozen: ['reference', 'reward model'],
    trainable: ['policy'],
  },
})
