import { z } from 'zod'
import { defineActor, port } from '../runtime/kernel/actor.js'
import { assert, TroupeError } from '../runtime/kernel/errors.js'
import { createDataPlan, dataPlanKeys, dataPlanState } from './data-plan.js'
import type { JudgedBatch, JudgedGroup, PlannedPrompt, SampledCompletion } from './messages.js'
import { answerTokens, worldTokenizer } from './policy.js'
import { moduleSchema, openWorld } from './shared.js'
import { readState } from './state.js'
import type { RatedAnswers } from './world.js'

const config = z.strictObject({
  world: moduleSchema,
  ...dataPlanKeys,
  answers: z.int().min(2).max(64).default(2).describe('rated answers of each prompt (K)'),
})

const NOBODY = { start: -1, end: -1 }

/**
 * People's preferences as data: prompts with K answers that people wrote and others rated, as judged groups. No policy has
 * written or judged them, so they are never stale. For offline methods, and to train reward models on.
 */
export const preferenceSource = defineActor({
  module: import.meta.url,
  role: 'preference-source',
  inputs: {},
  outputs: { judged: port<JudgedBatch>() },
  config,
  async start({ config, random, clock, turn, progress }) {
    const world = await openWorld(config.world)
    if (!world.preferences)
      throw new TroupeError('E_CONFIG', `nobody rates answers in the world "${world.name}"`, {
        hint: 'Choose a world with preferences()',
      })
    const tokenizer = worldTokenizer(world)
    const rated: RatedAnswers[] = []

    /** What is planned are indices: a prompt may come with several lists of answers. */
    function load(count: number): string[] {
      rated.push(...(world.preferences?.(count, random.stream('preferences'), config) ?? []))
      return rated.map((_, i) => `${i}`)
    }
    const plan = createDataPlan({ ...config, staleness: 'iteration' }, load, random)

    function judgedGroup({ id, text: index }: PlannedPrompt): JudgedGroup {
      const data = rated[Number(index)]
      assert(data, `the prompt ${id} is of the data`)
      return {
        ...{ promptId: id, prompt: data.prompt, version: NOBODY, judgeVersion: NOBODY },
        completions: data.answers.map((answer) => written(answer, answerTokens(world, tokenizer, data.prompt, answer))),
        judgments: data.scores.map((score) => ({ score, verdicts: [score], unreadable: 0 })),
      }
    }

    async function* judged(): AsyncGenerator<JudgedBatch> {
      for await (const { prompts, ...batch } of plan.batches()) {
        progress('preferences', plan.taken, plan.total, 'prompts')
        yield { ...batch, writtenAt: clock.now(), groups: prompts.map(judgedGroup) }
      }
    }

    return {
      streams: () => ({ judged: turn.generate('preferences', judged) }),
      snapshot: plan.snapshot,
      restore: (state) => plan.restore(readState('preference-source', dataPlanState, state)),
    }
  },
})

/** An answer of people's as if it had been sampled. */
function written(text: string, tokens: Int32Array): SampledCompletion {
  return { writer: 'people', text, tokens, logprobs: new Float32Array(tokens.length), finish: 'stop' }
}
