/**
 * How long turns take in virtual time where nothing else is said: what they took in a run of `quick` on stage threads, on two
 * cores. Lengths that follow from the batch are of one item of it; those of inventing are of a message of 24 prompts, which finds
 * them ready two times of three and else waits for a whole round of writing.
 */
export const selfRewardingCosts = {
  source: { distribution: 'lognormal', meanMs: 40, p95Ms: 95 },
  'prompt-generator': { distribution: 'lognormal', meanMs: 100, p95Ms: 330 },
  sampler: { distribution: 'lognormal', meanMs: 2.5, p95Ms: 3.8, perItem: 'prompts' },
  judge: { distribution: 'lognormal', meanMs: 10.8, p95Ms: 15.3, perItem: 'prompts' },
  'meta-judge': { distribution: 'lognormal', meanMs: 4.9, p95Ms: 7.5, perItem: 'prompts' },
  'learner:sft': { distribution: 'lognormal', meanMs: 0.52, p95Ms: 0.6, perItem: 'examples' },
  'learner:train': { distribution: 'lognormal', meanMs: 5.2, p95Ms: 8.6, perItem: 'prompts' },
  'learner:publish': { distribution: 'constant', ms: 90 },
  evaluator: { distribution: 'lognormal', meanMs: 16, p95Ms: 22, perItem: 'prompts' },
} as const
