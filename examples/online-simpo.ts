import { defineMethod } from '../scenarios/index.js' // yours: from 'troupe/scenarios'

/**
 * On-policy SimPO (Meng et al. 2024, arXiv 2405.14734): five samples of the policy, the best and the worst by a reward model, and a loss on
 * length-normalised likelihoods without a reference: −log σ(β·log π(y_w)/|y_w| − β·log π(y_l)/|y_l| − γ).
 */
export const onlineSimpo = defineMethod({
  name: 'online-simpo',
  title: 'On-policy SimPO',
  description: 'Best against worst of five by a reward model, without a reference model.',
  defaults: {
    rater: 'reward-model',
    label: { by: 'points' },
    staleness: { max: 1 },
    sampler: { writers: [{ by: 'policy', n: 5 }], sampling: { temperature: 0.8, topP: 1 } },
    loss: { name: 'simpo', beta: 2, gamma: 1 },
  },
  traits: {
    humanPreferences: 'reward model',
    onPolicy: 'every step',
    feedback: 'online',
    frozen: ['reward model'],
    trainable: ['policy'],
  },
})
