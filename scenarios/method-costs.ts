/** How long turns take in virtual time where nothing else is said: what they took in runs on stage threads, on two cores. */
export const methodCosts = {
  source: { distribution: 'lognormal', meanMs: 40, p95Ms: 95 },
  'prompt-source': { distribution: 'constant', ms: 1 },
  'preference-source': { distribution: 'constant', ms: 2 },
  sampler: { distribution: 'lognormal', meanMs: 2.5, p95Ms: 3.8, perItem: 'prompts' },
  annotator: { distribution: 'lognormal', meanMs: 0.2, p95Ms: 0.4, perItem: 'prompts' },
  'reward-model': { distribution: 'lognormal', meanMs: 1, p95Ms: 1.5, perItem: 'prompts' },
  'learner:sft': { distribution: 'lognormal', meanMs: 0.52, p95Ms: 0.6, perItem: 'examples' },
  'learner:train': { distribution: 'lognormal', meanMs: 5.2, p95Ms: 8.6, perItem: 'prompts' },
  'learner:publish': { distribution: 'constant', ms: 90 },
  evaluator: { distribution: 'lognormal', meanMs: 16, p95Ms: 22, perItem: 'prompts' },
} as const
