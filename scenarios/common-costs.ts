/** Costs of the roles that every scenario has, as runs of `quick` on stage threads took them on two cores. */
export const commonCosts = {
  source: { distribution: 'lognormal', meanMs: 40, p95Ms: 95 },
  sampler: { distribution: 'lognormal', meanMs: 2.5, p95Ms: 3.8, perItem: 'prompts' },
  'learner:sft': { distribution: 'lognormal', meanMs: 0.52, p95Ms: 0.6, perItem: 'examples' },
  'learner:train': { distribution: 'lognormal', meanMs: 5.2, p95Ms: 8.6, perItem: 'prompts' },
  'learner:publish': { distribution: 'constant', ms: 90 },
  evaluator: { distribution: 'lognormal', meanMs: 16, p95Ms: 22, perItem: 'prompts' },
} as const
