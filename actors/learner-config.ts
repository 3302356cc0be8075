import { z } from 'zod'
import { engineSchema, modelSchema, moduleSchema } from './shared.js'
import { optimizerSchema, trainingSchema } from './training-config.js'

export const sftSchema = z
  .strictObject({
    rows: z.int().min(1).default(32).describe('sequences in one step'),
    threads: z.int().min(1).default(1).describe('native threads while nothing else runs'),
    optimizer: optimizerSchema({ learningRate: 4e-3, warmupSteps: 100, schedule: 'cosine', finalFraction: 0.05 }),
  })
  .prefault({})

export const learnerConfig = z.strictObject({
  model: modelSchema,
  world: moduleSchema,
  engine: engineSchema.prefault({}),
  sft: sftSchema,
  training: z
    .array(trainingSchema)
    .min(1)
    .prefault([{}])
    .describe('how each iteration trains; the last one serves all that follow'),
  demonstrations: z.int().min(0).describe('demonstrations that will come, for the schedule'),
  iterations: z.array(z.int().min(1)).min(1).describe('prompts of each iteration, for the schedule'),
  promptsPerUpdate: z.int().min(1).describe('prompts whose groups make one update'),
  publishEvery: z
    .union([z.int().min(1), z.literal('iteration')])
    .describe('updates between two published versions; "iteration": once at its end'),
  references: z
    .int()
    .min(1)
    .default(1)
    .describe('how often M1 is sent at `reference`: once for each replica that reads it'),
  staleness: z.union([z.int().min(0), z.literal('iteration')]).describe('greatest lag allowed; asserted'),
  start: z.string().optional().describe('Hugging Face folder whose weights training starts from; default fresh ones'),
  checkpoints: z.string().optional().describe('folder for Hugging Face checkpoints of M1, M2, …'),
})
export type LearnerConfig = z.output<typeof learnerConfig>
