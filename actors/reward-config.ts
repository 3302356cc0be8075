import { z } from 'zod'
import { labelSchema } from './labelling.js'
import { engineSchema, modelSchema, moduleSchema } from './shared.js'
import { optimizerSchema } from './training-config.js'

export const rewardModelConfig = z.strictObject({
  model: modelSchema,
  world: moduleSchema,
  engine: engineSchema.prefault({}),
  kind: z
    .enum(['pointwise', 'pairwise'])
    .default('pointwise')
    .describe('a score of each answer (Bradley–Terry), or a ranker that reads both: logit P(the first is better)'),
  init: z
    .enum(['policy', 'scratch'])
    .default('policy')
    .describe('begins as the model that comes at `reference`, with a new head, or with random weights'),
  answers: z.int().min(2).max(64).default(2).describe('most answers of a prompt in the training data (K)'),
  prompts: z.int().min(1).describe('prompts of the training data, each epoch counted, for the schedule'),
  batch: z.int().min(1).default(16).describe('prompts in one step, with all their comparisons'),
  heldOut: z
    .number()
    .min(0)
    .lt(1)
    .default(0.1)
    .describe(
      'fraction of the prompts that it is not trained on: its accuracy and the scale of its scores are measured there',
    ),
  normalize: z
    .enum(['none', 'whiten'])
    .default('whiten')
    .describe('scores as they are, or with mean 0 and deviation 1 over the held-out answers'),
  label: labelSchema.describe('how candidates are rated; a ranker only compares'),
  optimizer: optimizerSchema({ learningRate: 1e-3, warmupSteps: 10, schedule: 'cosine', finalFraction: 0.1 }),
})
export type RewardModelConfig = z.output<typeof rewardModelConfig>
