import { commonCosts } from './common-costs.js'

/** How long turns take in virtual time where nothing else is said: what they took in runs on stage threads, on two cores. */
export const methodCosts = {
  ...commonCosts,
  'prompt-source': { distribution: 'constant', ms: 1 },
  'preference-source': { distribution: 'constant', ms: 2 },
  annotator: { distribution: 'lognormal', meanMs: 0.2, p95Ms: 0.4, perItem: 'prompts' },
  'reward-model': { distribution: 'lognormal', meanMs: 1, p95Ms: 1.5, perItem: 'prompts' },
} as const
