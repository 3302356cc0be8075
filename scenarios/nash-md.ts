import { defineMethod } from './method.js'

/**
 * Nash Learning from Human Feedback (Munos et al. 2023, arXiv 2312.00886), Nash-MD-PG:
 *
 *     y ~ π,  y′ ~ the geometric mixture π^{1−β}·μ^β;  ∇ log π(y)·[P(y ≻ y′) − ½ − τ·log(π/μ)(y)]
 */
export const nashMd = defineMethod({
  name: 'nash-md',
  title: 'Nash-MD',
  description: 'Policy gradient on the preference over a geometric mixture of the policy with the reference.',
  defaults: {
    staleness: { max: 1 },
    label: { by: 'pairs' },
    sampler: {
      writers: [
        { by: 'policy', n: 1 },
        { by: 'mixture', n: 1, weight: 0.125 },
      ],
      sampling: { temperature: 1, topP: 1 },
    },
    training: { objective: 'nash-md', reference: 'first', selection: { rule: 'all' }, policy: { tau: 0.008 } },
  },
  traits: {
    humanPreferences: 'none',
    onPolicy: 'every step',
    feedback: 'online',
    frozen: ['reference', 'annotator'],
    trainable: ['policy'],
  },
})
