import { defineMethod } from './method.js'

/**
 * Self-Play Fine-Tuning (Chen et al. 2024, arXiv 2401.01335): the winner is a demonstration, the loser the previous iterate's answer,
 * and that iterate is the reference. Each iteration trains on its own pairs and those of the one before.
 */
export const spin = defineMethod({
  name: 'spin',
  title: 'Self-Play Fine-Tuning',
  description: 'Demonstrations against the previous iterate’s own answers, which is the reference, too.',
  defaults: {
    rater: 'none',
    iterations: [768, 768, 768],
    sampler: {
      writers: [
        { by: 'people', n: 1 },
        { by: 'policy', n: 1 },
      ],
      sampling: { temperature: 1, topP: 1 },
    },
    loss: { name: 'dpo', beta: 0.1 },
    training: { selection: { rule: 'listed' }, replay: { rounds: 1, rows: 32 }, optimizer: { learningRate: 5e-5 } },
  },
  traits: {
    humanPreferences: 'demonstrations',
    onPolicy: 'per iteration',
    feedback: 'offline',
    frozen: ['previous iterate'],
    trainable: ['policy'],
  },
})
