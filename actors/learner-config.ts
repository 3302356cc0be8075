import { z } from 'zod'
import { engineSchema, modelSchema, moduleSchema } from './shared.js'

const optimizerSchema = (defaults: {
  learningRate: number
  warmupSteps: number
  schedule: 'constant' | 'cosine' | 'linear'
  finalFraction: number
}) =>
  z
    .strictObject({
      learningRate: z.number().positive().default(defaults.learningRate).describe('peak learning rate'),
      beta1: z.number().min(0).lt(1).default(0.9),
      beta2: z.number().min(0).lt(1).default(0.98),
      epsilon: z.number().positive().default(1e-8),
      weightDecay: z.number().min(0).default(0.01).describe('decoupled; not on norms'),
      clipNorm: z.number().min(0).default(1).describe('global gradient norm; 0 is off'),
      warmupSteps: z.int().min(0).default(defaults.warmupSteps).describe('linear warm-up, in updates'),
      schedule: z.enum(['constant', 'cosine', 'linear']).default(defaults.schedule),
      finalFraction: z.number().min(0).max(1).default(defaults.finalFraction).describe('of the peak, at the end'),
    })
    .prefault({})

export const sftSchema = z
  .strictObject({
    rows: z.int().min(1).default(32).describe('sequences in one step'),
    threads: z.int().min(1).default(1).describe('native threads while nothing else runs'),
    optimizer: optimizerSchema({ learningRate: 4e-3, warmupSteps: 100, schedule: 'cosine', finalFraction: 0.05 }),
  })
  .prefault({})

export const dpoSchema = z
  .strictObject({
    beta: z.number().positive().default(0.1).describe('strength of the pull to the reference model'),
    minGap: z.number().min(0).default(0).describe('least difference of mean scores in a pair; equal scores never pair'),
    mixRows: z.int().min(0).default(24).describe('demonstrations trained on beside the pairs of an update'),
    mixCoefficient: z.number().min(0).default(1).describe('weight of their NLL'),
    optimizer: optimizerSchema({ learningRate: 2e-4, warmupSteps: 5, schedule: 'constant', finalFraction: 0.1 }),
  })
  .prefault({})

export const learnerConfig = z.strictObject({
  model: modelSchema,
  world: moduleSchema,
  engine: engineSchema.prefault({}),
  sft: sftSchema,
  dpo: dpoSchema,
  demonstrations: z.int().min(0).describe('demonstrations that will come, for the schedule'),
  iterations: z.array(z.int().min(1)).min(1).describe('prompts of each iteration, for the schedule'),
  promptsPerUpdate: z.int().min(1).describe('prompts whose pairs make one update'),
  publishEvery: z
    .union([z.int().min(1), z.literal('iteration')])
    .describe('updates between two published versions; "iteration": once at its end'),
  staleness: z.union([z.int().min(0), z.literal('iteration')]).describe('greatest lag allowed; asserted'),
  checkpoints: z.string().optional().describe('folder for Hugging Face checkpoints of M1, M2, …'),
})
export type LearnerConfig = z.output<typeof learnerConfig>
