import { defineMethod } from './method.js'

/**
 * Direct Language Model Alignment from Online AI Feedback (Guo et al. 2024, arXiv 2402.04792):
 *
 *     each step: y₁, y₂ ~ π_t at T 0.9;  the annotator reads both, in both orders;  one step of DPO, IPO or SLiC, ref = SFT
 */
export const oaif = defineMethod({
  name: 'oaif',
  title: 'Online AI Feedback',
  description:
    'Two samples of the policy of now, an annotator that reads an instruction, one step of a preference loss.',
  defaults: {
    staleness: { max: 1 },
    label: { by: 'pairs' },
    sampler: { sampling: { temperature: 0.9, topP: 1 } },
    loss: { name: 'dpo', beta: 0.1 },
    training: { reference: 'first', selection: { rule: 'compared', ties: 'first' } },
  },
  traits: {
    humanPreferences: 'none',
    onPolicy: 'every step',
    feedback: 'online',
    frozen: ['reference', 'annotator'],
    trainable: ['policy'],
  },
})
