import { z } from 'zod'
import { defineActor, port } from '../runtime/kernel/actor.js'
import type { DemonstrationBatch, SeedPrompts } from './messages.js'
import { moduleSchema, openWorld } from './shared.js'
import { count, readState } from './state.js'

const config = z.strictObject({
  world: moduleSchema,
  demonstrations: z
    .strictObject({
      ift: z.int().min(0).describe('instructions answered by people'),
      eft: z.int().min(0).describe('answers judged by people'),
      prompts: z.int().min(0).describe('lists of instructions, for self-instruct'),
      meta: z.int().min(0).default(0).describe('judgments compared by people'),
    })
    .describe('how many demonstrations of each kind, each seen once'),
  seedPrompts: z.int().min(1).default(200).describe('instructions that the prompt generator starts from'),
  batch: z.int().min(1).default(1024).describe('demonstrations in one message'),
})

const stateSchema = z.strictObject({ batches: count, made: count, seeded: z.boolean() })

/** Where human data comes from: demonstrations for supervised training, and the seed prompts. */
export const source = defineActor({
  module: import.meta.url,
  role: 'source',
  inputs: {},
  outputs: { demonstrations: port<DemonstrationBatch>(), seeds: port<SeedPrompts>() },
  config,
  async start({ config, random, turn, progress }) {
    const world = await openWorld(config.world)
    const { ift, eft, prompts, meta } = config.demonstrations
    /** What has been sent. */
    let sent = { batches: 0, made: 0, seeded: false }

    /** Every batch has its share of each kind, and is made when it is wanted. */
    function* demonstrations(): Generator<DemonstrationBatch> {
      const total = ift + eft + prompts + meta
      const batches = Math.ceil(total / config.batch)
      const until = (k: number) => {
        const part = (count: number) => Math.floor((count * k) / batches)
        return { ift: part(ift), eft: part(eft), prompts: part(prompts), meta: part(meta) }
      }
      while (sent.batches < batches) {
        const k = sent.batches
        progress('demonstrations', sent.made, total, 'examples')
        const [given, end] = [until(k), until(k + 1)]
        const counts = {
          ...{ ift: end.ift - given.ift, eft: end.eft - given.eft, prompts: end.prompts - given.prompts },
          meta: end.meta - given.meta,
        }
        const batch = world.demonstrations(counts, random.stream('demonstrations', k), given)
        sent = { ...sent, batches: k + 1, made: sent.made + batch.length }
        yield { id: k, demonstrations: batch }
      }
      progress('demonstrations', sent.made, total, 'examples')
    }

    function* seeds(): Generator<SeedPrompts> {
      if (sent.seeded) return
      sent = { ...sent, seeded: true }
      yield { prompts: world.prompts(config.seedPrompts, random.stream('seeds'), { heldOut: false }) }
    }

    return {
      streams: () => ({
        demonstrations: turn.generate('demonstrations', demonstrations),
        seeds: turn.generate('seeds', seeds),
      }),
      snapshot: () => sent,
      restore: (state) => {
        sent = readState('source', stateSchema, state)
      },
    }
  },
})
