import { z } from 'zod'
import { defineActor, port } from '../runtime/kernel/actor.js'
import { TroupeError } from '../runtime/kernel/errors.js'
import { createDataPlan, dataPlanKeys, dataPlanState } from './data-plan.js'
import type { PromptBatch } from './messages.js'
import { moduleSchema, openWorld } from './shared.js'
import { readState } from './state.js'

const config = z.strictObject({
  world: moduleSchema,
  ...dataPlanKeys,
  staleness: z
    .union([z.int().min(0), z.literal('iteration')])
    .describe('greatest lag of a sample, in learner versions; "iteration": all of an iteration from its first model'),
  answers: z.int().min(0).max(64).default(0).describe("people's answers that go with each prompt; they are no prompts"),
})

/** Prompts that people wrote, in the learner's order; with what people answered, where it is asked for. */
export const promptSource = defineActor({
  module: import.meta.url,
  role: 'prompt-source',
  inputs: {},
  outputs: { prompts: port<PromptBatch>() },
  config,
  async start({ config, random, turn, progress }) {
    const world = await openWorld(config.world)
    if (config.answers > 0 && !world.answers)
      throw new TroupeError('E_CONFIG', `nobody answers prompts in the world "${world.name}"`, {
        where: 'answers',
        hint: 'Choose 0, or a world with answers()',
      })
    const load = (count: number) => world.prompts(count, random.stream('prompts'), { heldOut: false })
    const plan = createDataPlan(config, load, random)

    /** The same whenever the prompt comes: what is in the data. */
    const answersTo = (prompt: string) => world.answers?.(prompt, config.answers, random.stream('answers', prompt))

    async function* prompts(): AsyncGenerator<PromptBatch> {
      for await (const batch of plan.batches()) {
        progress('prompts', plan.taken, plan.total, 'prompts')
        if (config.answers === 0) yield batch
        else
          yield { ...batch, prompts: batch.prompts.map((prompt) => ({ ...prompt, answers: answersTo(prompt.text) })) }
      }
    }

    return {
      streams: () => ({ prompts: turn.generate('prompts', prompts) }),
      snapshot: plan.snapshot,
      restore: (state) => plan.restore(readState('prompt-source', dataPlanState, state)),
    }
  },
})
