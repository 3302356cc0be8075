import { defineMethod } from './method.js'

/**
 * Identity Preference Optimization (Azar et al. 2023, arXiv 2310.12036) on people's pairs, offline: (h − 1/(2τ))², ref = SFT. It does not
 * run away where preferences are deterministic.
 */
export const ipo = defineMethod({
  name: 'ipo',
  title: 'Identity Preference Optimization',
  description: 'Offline pairs, with a loss that stops at a finite preference gap.',
  defaults: {
    rater: 'people',
    iterations: [1024, 1024],
    repeat: true,
    loss: { name: 'ipo', tau: 0.1 },
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
