import { z } from 'zod'
import { sftSchema } from '../actors/learner-config.js'
import { engineSchema, inFlightSchema, moduleSchemaOf, samplingSchema } from '../actors/shared.js'
import { preferenceOptimizer } from '../actors/training-config.js'
import { modelShape } from './model-of.js'
import { ownDataKeys, ownDemonstrationKeys } from './own-data.js'
import { runtimeKeys } from './runtime-config.js'
import { selfRewardingCosts } from './self-rewarding-costs.js'
import { stalenessSchema } from './staleness.js'
import { worlds } from './worlds/index.js'

const dpoSchema = z
  .strictObject({
    beta: z.number().positive().default(0.1).describe('strength of the pull to the reference model'),
    minGap: z.number().min(0).default(0).describe('least difference of mean scores in a pair; equal scores never pair'),
    mixRows: z.int().min(0).default(24).describe('demonstrations trained on beside the pairs of an update'),
    mixCoefficient: z.number().min(0).default(1).describe('weight of their NLL'),
    optimizer: preferenceOptimizer,
  })
  .prefault({})

const metaRewarding = z.strictObject({
  rho: z
    .array(z.number().min(0).lt(1))
    .min(1)
    .default([0, 0.32, 0.32, 0.4])
    .describe('width of the length tiers of each iteration; the last one serves all that follow'),
  judgeIterations: z
    .int()
    .min(0)
    .default(2)
    .describe('iterations that train on pairs of judgments too; later ones on pairs of answers alone'),
  maxJudgment: z
    .int()
    .min(1)
    .optional()
    .describe(
      'tokens of a chosen judgment; pairs with longer ones are dropped. Default: no bound but that of a verdict',
    ),
  replicas: z.int().min(1).max(16).default(1),
  sampling: samplingSchema({ temperature: 0.7, topP: 0.9, topK: 0 }),
})

const metaSchema = z
  .union([z.boolean(), metaRewarding])
  .transform((given) => (given === true ? metaRewarding.parse({}) : given))
  .prefault(false)
  .describe('Meta-Rewarding: the policy compares its own judgments, and learns to judge from that')

/** Every option of `troupe run self-rewarding`. */
export const selfRewardingConfig = z.strictObject({
  eft: z.boolean().default(true).describe('teach judging: false trains M1 without judge demonstrations'),
  world: moduleSchemaOf(worlds.default.world).describe('the language, its people and its rubric'),
  gold: moduleSchemaOf(worlds.default.gold).describe(
    'the scorer that only the evaluator sees; its options are the world’s, unless given',
  ),
  model: modelShape,
  ...ownDataKeys,
  demonstrations: z
    .strictObject({
      ift: z.int().min(0).default(60_000).describe('instructions answered by people'),
      eft: z.int().min(0).default(90_000).describe('answers judged by people'),
      prompts: z.int().min(0).default(12_000).describe('lists of instructions, for self-instruct'),
      meta: z.int().min(0).default(30_000).describe('judgments compared by people; only where `meta` is on'),
      ...ownDemonstrationKeys,
    })
    .prefault({}),
  iterations: z
    .array(z.int().min(1))
    .min(1)
    .max(20)
    .default([1536, 1968])
    .describe('new prompts of each iteration after M1'),
  promptsPerUpdate: z.int().min(1).default(48).describe('prompts whose pairs make one update of the learner'),
  batch: z.int().min(1).default(24).describe('prompts in one message'),
  staleness: stalenessSchema,
  generator: z
    .strictObject({
      shots: z.int().min(1).max(8).default(4),
      maxRougeL: z.number().min(0).max(1).default(0.7),
      seedPrompts: z.int().min(8).default(200),
      sampling: samplingSchema({ temperature: 1, topP: 0.95, topK: 0 }),
    })
    .prefault({}),
  sampler: z
    .strictObject({
      replicas: z.int().min(1).max(16).default(1),
      candidates: z.int().min(2).max(64).default(4),
      inFlight: inFlightSchema,
      sampling: samplingSchema({ temperature: 0.7, topP: 0.9, topK: 0 }),
    })
    .prefault({}),
  judge: z
    .strictObject({
      replicas: z.int().min(1).max(16).default(2),
      judgments: z.int().min(1).max(64).default(3),
      sampling: samplingSchema({ temperature: 0.7, topP: 0.9, topK: 0 }),
    })
    .prefault({}),
  meta: metaSchema,
  learner: z.strictObject({ sft: sftSchema, dpo: dpoSchema }).prefault({}),
  evaluation: z
    .strictObject({
      prompts: z.int().min(2).default(400),
      samples: z.int().min(1).default(4),
      judgeSet: z.int().min(1).default(600),
    })
    .prefault({}),
  engine: engineSchema.omit({ backend: true }).prefault({}),
  ...runtimeKeys(selfRewardingCosts),
})

export type SelfRewardingConfig = z.output<typeof selfRewardingConfig>
