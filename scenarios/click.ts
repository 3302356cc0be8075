import { defineMethod } from './method.js'

/**
 * Click (Zheng et al. 2023, arXiv 2306.03350): the model's own generations, each with the undesired attribute set against a less likely
 * one without it; max(0, α − log π(y⁺) + log π(y⁻)) beside the language-modelling loss on the corpus.
 */
export const click = defineMethod({
  name: 'click',
  title: 'Click',
  description: 'Contrastive learning on sequence likelihood from the model’s own generations.',
  defaults: {
    iterations: [768],
    label: { by: 'points' },
    sampler: { writers: [{ by: 'policy', n: 8 }], sampling: { temperature: 1, topP: 0.9 } },
    loss: { name: 'click', alpha: 15 },
    training: {
      coefficient: 0.3,
      selection: { rule: 'likelihood', threshold: 3.5 },
      mix: { from: 'demonstrations', rows: 32, coefficient: 1 },
      rowsPerStep: 64,
    },
  },
  traits: {
    humanPreferences: 'none',
    onPolicy: 'per iteration',
    feedback: 'per iteration',
    frozen: ['attribute classifier'],
    trainable: ['policy'],
  },
})
