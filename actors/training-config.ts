import { z } from 'zod'

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
