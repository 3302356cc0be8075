import { z } from 'zod'
import type { DecoderConfig } from '../models/config.js'
import { TroupeError } from '../runtime/kernel/errors.js'
import { backends } from '../runtime/tensor/index.js'
import type { World, WorldModule } from './world.js'

/** A module to import by URL and what its factory is given. */
export const moduleSchema = z.strictObject({
  module: z.string().describe('URL of the module'),
  options: z.record(z.string(), z.unknown()).default({}).describe('options of its factory'),
})
export type ModuleReference = z.output<typeof moduleSchema>

/** A module with a default URL, whose options may be given alone. */
export const moduleSchemaOf = (url: string) =>
  moduleSchema.extend({ module: moduleSchema.shape.module.default(url) }).prefault({})

/** How an actor runs its model. */
export const engineSchema = z.strictObject({
  backend: z.enum(backends).default('onnx').describe('tensor backend'),
  threads: z.int().min(1).max(64).default(1).describe('native threads inside one call'),
  batch: z.int().min(1).max(4096).default(128).describe('sequences decoded at once'),
})

/** A model's shape as plain data, as `DecoderConfig` has it. */
export const modelSchema = z.custom<DecoderConfig>(
  (value) => typeof value === 'object' && value !== null && 'hiddenSize' in value,
  'a decoder configuration',
)

export const samplingSchema = (defaults: { temperature: number; topP: number; topK: number }) =>
  z
    .strictObject({
      temperature: z.number().min(0).max(10).default(defaults.temperature).describe('0 is greedy'),
      topP: z.number().gt(0).max(1).default(defaults.topP).describe('nucleus; 1 keeps all'),
      topK: z.int().min(0).default(defaults.topK).describe('0 keeps all'),
    })
    .prefault({})

/** A world as those need it who read and write its texts. */
export async function loadWorld(reference: ModuleReference): Promise<World> {
  const { createWorld } = await loadModule<WorldModule>(reference, 'createWorld')
  return createWorld(reference.options)
}

/** A world with its data, for those who draw from it. */
export async function openWorld(reference: ModuleReference): Promise<World> {
  const world = await loadWorld(reference)
  await world.open?.()
  return world
}

/** Imports a module by its URL; `E_CONFIG` where it cannot be, or has no such factory. */
export async function loadModule<M extends object>(reference: ModuleReference, factory: keyof M & string): Promise<M> {
  const loaded: unknown = await import(reference.module).catch((cause: unknown) => {
    throw new TroupeError('E_CONFIG', `module ${reference.module} cannot be imported`, { cause })
  })
  if (typeof (loaded as Record<string, unknown>)[factory] !== 'function')
    throw new TroupeError('E_CONFIG', `module ${reference.module} exports no ${factory}()`)
  return loaded as M
}

/** Whether a sampler takes new weights between decode steps, and what becomes of keys and values of older ones. */
export const inFlightSchema = z
  .enum(['off', 'keep', 'recompute'])
  .default('off')
  .describe('new weights between decode steps: not at all, going on with the keys of older ones, or reading all anew')
