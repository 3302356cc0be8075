import { commonCosts } from './common-costs.js'

/**
 * How long turns take in virtual time where nothing else is said: what they took in a run of `quick` on stage threads, on two
 * cores. Lengths that follow from the batch are of one item of it; those of inventing are of a message of 24 prompts, which finds
 * them ready two times of three and else waits for a whole round of writing.
 */
export const selfRewardingCosts = {
  ...commonCosts,
  'prompt-generator': { distribution: 'lognormal', meanMs: 100, p95Ms: 330 },
  judge: { distribution: 'lognormal', meanMs: 10.8, p95Ms: 15.3, perItem: 'prompts' },
  'meta-judge': { distribution: 'lognormal', meanMs: 4.9, p95Ms: 7.5, perItem: 'prompts' },
} as const
