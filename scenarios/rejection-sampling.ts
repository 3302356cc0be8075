import { z } from 'zod'
import { defineMethod } from './method.js'

/**
 * Rejection-sampling fine-tuning (Llama 2, Touvron et al. 2023, arXiv 2307.09288): the best of N by the reward model is imitated, with the
 * best ones of all earlier rounds; `then=ppo` goes on with PPO in the last iteration.
 */
export const rejectionSampling = defineMethod({
  name: 'rejection-sampling',
  title: 'Rejection-sampling fine-tuning',
  description: 'The best of N, imitated, and those of all earlier rounds again.',
  options: {
    // biome-ignore lint/suspicious/noThenProperty: a key of the configuration, which is never awaited
    then: z.enum(['none', 'ppo']).default('none').describe('what the last iteration trains by instead'),
  },
  defaults: {
    rater: 'reward-model',
    label: { by: 'points' },
    sampler: { writers: [{ by: 'policy', n: 8 }], sampling: { temperature: 1, topP: 1 } },
    training: {
      objective: 'nll',
      selection: { rule: 'best' },
      replay: { rounds: 'all', rows: 16 },
      policy: { kl: 0.1 },
      optimizer: { learningRate: 4e-4 },
    },
  },
  arrange: ({ then, iterations }, { training: [first] }) => {
    if (then === 'none' || !first) return {}
    const imitation = Array.from({ length: iterations.length - 1 }, () => first)
    return { training: [...imitation, { ...first, objective: 'ppo', reference: 'first', selection: { rule: 'all' } }] }
  },
  traits: {
    humanPreferences: 'reward model',
    onPolicy: 'per iteration',
    feedback: 'per iteration',
    frozen: ['reward model'],
    trainable: ['policy'],
  },
})
