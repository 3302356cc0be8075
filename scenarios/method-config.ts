import { z } from 'zod'
import { labelSchema } from '../actors/labelling.js'
import { sftSchema } from '../actors/learner-config.js'
import { remoteSchema } from '../actors/remote-config.js'
import { rewardModelConfig } from '../actors/reward-config.js'
import { engineSchema, inFlightSchema, moduleSchemaOf, samplingSchema } from '../actors/shared.js'
import { trainingSchema } from '../actors/training-config.js'
import { writersSchema } from '../actors/writers.js'
import { preferenceLossOption } from '../alignment/index.js'
import { methodCosts } from './method-costs.js'
import { modelShape } from './model-of.js'
import { ownDataKeys, ownDemonstrationKeys } from './own-data.js'
import { ownPath } from './own-path.js'
import { runtimeKeys } from './runtime-config.js'
import { stalenessSchema } from './staleness.js'
import { worlds } from './worlds/index.js'

const { kind, init, heldOut, normalize, batch, optimizer } = rewardModelConfig.shape

/** How the reward model is made, where there is one. */
const rewardModelSchema = z
  .strictObject({
    ...{ kind, init, heldOut, normalize, batch, optimizer },
    labels: z
      .enum(['people', 'annotator'])
      .default('people')
      .describe('who says which answers of its training data are better'),
    prompts: z.int().min(1).default(4000).describe('prompts of its training data'),
    answers: z.int().min(2).max(16).default(4).describe('answers to each of them (K); all their pairs are used'),
  })
  .prefault({})

/** Keys of every scenario that is a wiring of the common roles. A method's own defaults are laid over these. */
export const methodConfig = z.strictObject({
  world: moduleSchemaOf(worlds.default.world).describe('the language and its people'),
  gold: moduleSchemaOf(worlds.default.gold).describe(
    'the scorer that only the evaluator sees; its options are the world’s, unless given',
  ),
  annotator: moduleSchemaOf(worlds.default.annotator).describe(
    'an annotator from outside: strength, biases, instruction',
  ),
  remote: remoteSchema
    .optional()
    .describe('a language model behind an OpenAI-compatible API, as the annotator in place of the world’s'),
  model: modelShape,
  start: ownPath
    .optional()
    .describe(
      'checkpoint of this world and model (another run’s checkpoints/M1) whose weights training starts from, instead of fresh ones; with demonstrations.ift=0 it is M1',
    ),
  ...ownDataKeys,
  demonstrations: z
    .strictObject({
      ift: z.int().min(0).default(24_000).describe('instructions answered by people: M1 is trained on them'),
      eft: z.int().min(0).default(0).describe('answers judged by people'),
      prompts: z.int().min(0).default(0).describe('lists of instructions'),
      ...ownDemonstrationKeys,
    })
    .prefault({}),
  iterations: z.array(z.int().min(1)).min(1).max(40).default([768, 768]).describe('prompts of each iteration after M1'),
  repeat: z.boolean().default(false).describe('every iteration has the prompts (or pairs) of the first again'),
  promptsPerUpdate: z.int().min(1).default(32).describe('prompts whose completions make one update of the learner'),
  batchSize: z.int().min(1).default(16).describe('prompts in one message'),
  staleness: stalenessSchema,
  rater: z
    .enum(['annotator', 'reward-model', 'people', 'none'])
    .default('annotator')
    .describe(
      'who rates: the annotator; a reward model; people, who wrote the completions, too (offline data); nobody',
    ),
  label: labelSchema.describe('how completions are rated'),
  rewardModel: rewardModelSchema,
  answers: z.int().min(2).max(16).default(2).describe('rater people: answers to each prompt'),
  sampler: z
    .strictObject({
      replicas: z.int().min(1).max(16).default(1),
      writers: writersSchema.default([{ by: 'policy', n: 2 }]),
      inFlight: inFlightSchema,
      sampling: samplingSchema({ temperature: 0.7, topP: 0.9, topK: 0 }),
    })
    .prefault({}),
  raters: z.int().min(1).max(16).default(1).describe('annotators, or reward models, at work side by side'),
  loss: preferenceLossOption,
  sft: sftSchema,
  training: trainingSchema.omit({ loss: true, completions: true, behaviour: true }).prefault({}),
  evaluation: z
    .strictObject({
      prompts: z.int().min(2).default(200),
      samples: z.int().min(1).default(4),
      judgeSet: z.int().min(0).default(0).describe('held-out prompts whose answers the policy ranks as a judge'),
      sampling: samplingSchema({ temperature: 0.7, topP: 0.9, topK: 0 }),
    })
    .prefault({}),
  engine: engineSchema.omit({ backend: true }).prefault({}),
  ...runtimeKeys(methodCosts),
})
export type MethodConfig = z.output<typeof methodConfig>
