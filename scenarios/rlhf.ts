import { defineMethod } from './method.js'

/** PPO as InstructGPT has it, at the step size of a small model. */
const PPO_DEFAULTS = {
  objective: 'ppo',
  reference: 'first',
  selection: { rule: 'all' },
  policy: { kl: 0.1, missingEosPenalty: 1 },
  optimizer: { learningRate: 4e-4, warmupSteps: 5 },
} as const

/**
 * Reinforcement learning from human feedback (InstructGPT, Ouyang et al. 2022, arXiv 2203.02155): SFT; a reward model from noisy people's
 * rankings, all pairs of a prompt in one batch element; PPO with GAE, a value head, per-token KL and clipping. `training.mix` is PPO-ptx.
 */
export const rlhf = defineMethod({
  name: 'rlhf',
  title: 'RLHF with PPO',
  description: 'A reward model of people’s rankings, and PPO against it.',
  defaults: {
    rater: 'reward-model',
    label: { by: 'points' },
    staleness: { max: 1 },
    sampler: { writers: [{ by: 'policy', n: 4 }], sampling: { temperature: 1, topP: 1 } },
    training: PPO_DEFAULTS,
  },
  traits: {
    humanPreferences: 'reward model',
    onPolicy: 'every step',
    feedback: 'online',
    frozen: ['reference', 'reward model'],
    trainable: ['policy', 'value'],
  },
})
