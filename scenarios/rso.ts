import { z } from 'zod'
import { defineMethod } from './method.js'

/**
 * Statistical Rejection Sampling Optimization (Liu et al. 2023, arXiv 2309.06657): candidates of the SFT model, accepted as if the optimal
 * policy of the ranker had written them, paired at random and ranked. `data` takes people's pairs (direct), or pairs of the candidates
 * as they come (sft-sample-rank).
 */
export const rso = defineMethod({
  name: 'rso',
  title: 'Statistical Rejection Sampling Optimization',
  description: 'Pairs from an approximation of the optimal policy by rejection sampling with a pairwise ranker.',
  options: {
    data: z
      .enum(['rso-sample-rank', 'sft-sample-rank', 'direct'])
      .default('rso-sample-rank')
      .describe('where the pairs come from: rejection-sampled candidates, the SFT model’s as they are, people'),
  },
  defaults: {
    rater: 'reward-model',
    rewardModel: { kind: 'pairwise' },
    label: { by: 'rejection', accept: 6, beta: 0.5, rewards: 'pairwise' },
    iterations: [512, 512],
    sampler: { writers: [{ by: 'first', n: 16 }], sampling: { temperature: 0.7, topP: 1, topK: 40 } },
    loss: { name: 'sigmoid-norm', gamma: 0.05 },
    training: { reference: 'first', selection: { rule: 'compared' }, rowsPerStep: 64 },
  },
  arrange: ({ data, label }, { training, writers }) => {
    if (data === 'rso-sample-rank') return {}
    if (data === 'direct')
      return { rater: 'people', training: training.map((each) => ({ ...each, selection: { rule: 'best-worst' } })) }
    const few = writers.map((writer) => (writer.by === 'first' ? { ...writer, n: label.accept } : writer))
    return { label: { ...label, by: 'pairs', which: 'neighbours' }, writers: few }
  },
  traits: {
    humanPreferences: 'reward model',
    onPolicy: 'initial model',
    feedback: 'offline',
    frozen: ['reference', 'ranker'],
    trainable: ['policy'],
  },
})
