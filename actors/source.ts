import { z } from 'zod'
import { defineActor, port } from '../runtime/kernel/actor.js'
import type { DemonstrationBatch, SeedPrompts } from './messages.js'
import { loadWorld, moduleSchema } from './shared.js'
import type { Demonstration } from './world.js'

const config = z.strictObject({
  world: moduleSchema,
  demonstrations: z
    .strictObject({
      ift: z.int().min(0).describe('instructions answered by people'),
      eft: z.int().min(0).describe('answers judged by people'),
      prompts: z.int().min(0).describe('lists of instructions, for self-instruct'),
    })
    .describe('how many demonstrations of each kind, each seen once'),
  seedPrompts: z.int().min(1).default(200).describe('instructions that the prompt generator starts from'),
  batch: z.int().min(1).default(1024).describe('demonstrations in one message'),
})

/** Where human data comes from: demonstrations for supervised training, and the seed prompts. */
export const source = defineActor({
  module: import.meta.url,
  role: 'source',
  inputs: {},
  outputs: { demonstrations: port<DemonstrationBatch>(), seeds: port<SeedPrompts>() },
  config,
  async start({ config, random, turn, progress }) {
    const world = await loadWorld(config.world)
    const { ift, eft, prompts } = config.demonstrations

    function* demonstrations(): Generator<DemonstrationBatch> {
      progress('demonstrations', 0, ift + eft + prompts, 'examples')
      const all: Demonstration[] = world.demonstrations({ ift, eft, prompts }, random.stream('demonstrations'))
      for (let at = 0; at < all.length; at += config.batch) {
        const slice = all.slice(at, at + config.batch)
        progress('demonstrations', at + slice.length, all.length, 'examples')
        yield { demonstrations: slice }
      }
    }

    function* seeds(): Generator<SeedPrompts> {
      yield { prompts: world.prompts(config.seedPrompts, random.stream('seeds'), { heldOut: false }) }
    }

    return {
      streams: () => ({
        demonstrations: turn.generate('demonstrations', demonstrations),
        seeds: turn.generate('seeds', seeds),
      }),
    }
  },
})
