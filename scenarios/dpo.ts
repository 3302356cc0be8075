import { defineMethod } from './method.js'

/**
 * Direct Preference Optimization (Rafailov et al. 2023, arXiv 2305.18290) on people's pairs, offline: −log σ(β·h), ref = SFT. `loss.name`
 * chooses any other loss of the pairwise family.
 */
export const dpo = defineMethod({
  name: 'dpo',
  title: 'Direct Preference Optimization',
  description: 'Offline pairs that people wrote and judged; any loss of the pairwise family.',
  defaults: {
    rater: 'people',
    iterations: [1024, 1024],
    repeat: true,
    loss: { name: 'dpo', beta: 0.1 },
    training: { reference: 'first' },
  },
  traits: {
    humanPreferences: 'pairs',
    onPolicy: 'no',
    feedback: 'offline',
    frozen: ['reference'],
    trainable: ['policy'],
  },
})
