import { z } from 'zod'
import { preferenceLossOption } from '../alignment/index.js'
import { selectionSchema } from './selection.js'

export const optimizerSchema = (defaults: {
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

export const preferenceOptimizer = optimizerSchema({
  learningRate: 2e-4,
  warmupSteps: 5,
  schedule: 'constant',
  finalFraction: 0.1,
})

const correctionSchema = z
  .strictObject({
    kind: z
      .enum(['none', 'truncate', 'mask'])
      .default('none')
      .describe('importance weights of stale samples: none, cut at `cap`, or 0 outside of `low` to `high`'),
    level: z.enum(['token', 'sequence']).default('sequence').describe('of each token, or of whole sequences'),
    cap: z.number().positive().default(2),
    low: z.number().min(0).default(0.5),
    high: z.number().positive().default(2),
  })
  .prefault({})

/** Further rows of each step, trained by their negative log-likelihood. */
const mixSchema = z
  .strictObject({
    from: z
      .enum(['demonstrations', 'chosen', 'people'])
      .default('demonstrations')
      .describe(
        'demonstrations of supervised training; the step’s chosen completions; people’s answers to its prompts',
      ),
    rows: z
      .int()
      .min(0)
      .default(0)
      .describe('demonstrations a step; the other two have as many rows as there are pairs'),
    coefficient: z.number().min(0).default(1).describe('weight of their negative log-likelihood'),
    per: z.enum(['token', 'sequence']).default('token').describe('mean over tokens, or over sequences of their sums'),
  })
  .prefault({})

const policyGradientSchema = z
  .strictObject({
    kl: z.number().min(0).default(0.05).describe('β: price of log π − log ref, in points of reward a nat'),
    clip: z.number().positive().default(0.2).describe('ppo: ε of the policy’s ratio'),
    valueClip: z.number().min(0).default(0.2).describe('ppo: ε of the values; 0 does not clip'),
    valueCoefficient: z.number().min(0).default(0.1).describe('ppo: weight of the value loss'),
    gaeLambda: z.number().min(0).max(1).default(0.95).describe('ppo: λ of generalised advantage estimation'),
    whiten: z.boolean().default(true).describe('ppo: advantages of a batch get mean 0 and deviation 1'),
    baseline: z
      .enum(['leave-one-out', 'mean'])
      .default('leave-one-out')
      .describe('reinforce: the other completions of a prompt (RLOO), or the batch’s mean'),
    missingEosPenalty: z.number().min(0).default(1).describe('taken off the reward of a completion that was cut off'),
    tau: z.number().min(0).default(0.008).describe('nash-md: τ, pull to the reference'),
  })
  .prefault({})

/** How an iteration trains. */
export const trainingSchema = z.strictObject({
  objective: z
    .enum(['preference', 'nll', 'rank', 'ppo', 'reinforce', 'nash-md'])
    .default('preference')
    .describe('a loss over pairs; likelihood of what was selected; ranking of groups; policy gradients'),
  selection: selectionSchema,
  loss: preferenceLossOption,
  coefficient: z.number().min(0).default(1).describe('weight of the preference loss beside mixed-in rows'),
  reference: z
    .enum(['iteration', 'first'])
    .default('iteration')
    .describe('the model that an iteration begins with, or M1 throughout'),
  mix: mixSchema,
  replay: z
    .strictObject({
      rounds: z
        .union([z.int().min(0), z.literal('all')])
        .default(0)
        .describe('iterations before this one whose selected completions or pairs are trained on again'),
      rows: z.int().min(0).default(0).describe('how many of those, drawn at random, an update gets'),
    })
    .prefault({}),
  improve: z
    .array(z.number().min(0).lt(1))
    .default([])
    .describe('passes at an iteration’s end over its completions whose scores are above these quantiles'),
  completions: z.int().min(1).default(4).describe('rank, nash-md, policy gradients: completions of a prompt'),
  epochs: z.int().min(1).default(1).describe('passes over what an update was given'),
  rowsPerStep: z.int().min(1).optional().describe('pairs, completions or groups of one step; default promptsPerUpdate'),
  policy: policyGradientSchema,
  correction: correctionSchema,
  behaviour: z
    .boolean()
    .default(true)
    .describe('measures the distance to the policy that wrote; false where people did'),
  optimizer: preferenceOptimizer,
})
export type TrainingConfig = z.output<typeof trainingSchema>
