import { z } from 'zod'
import type { TextTokenizer } from '../models/index.js'
import { defineActor, port } from '../runtime/kernel/actor.js'
import { assert, TroupeError } from '../runtime/kernel/errors.js'
import { createDataPlan, dataPlanKeys, dataPlanState } from './data-plan.js'
import type { JudgedBatch, JudgedGroup, PlannedPrompt, SampledCompletion } from './messages.js'
import { worldTokenizer } from './policy.js'
import { loadWorld, moduleSchema } from './shared.js'
import { readState } from './state.js'
import type { RatedAnswers, World } from './world.js'

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
    const world = await loadWorld(config.world)
    if (!world.preferences)
      throw new TroupeError('E_CONFIG', `nobody rates answers in the world "${world.name}"`, {
        hint: 'Choose a world with preferences()',
      })
    const tokenizer = worldTokenizer(world)
    const rated = new Map<string, RatedAnswers>()

    function load(count: number): string[] {
      const data = world.preferences?.(count, random.stream('preferences'), config) ?? []
      for (const one of data) rated.set(one.prompt, one)
      return data.map(({ prompt }) => prompt)
    }
    const plan = createDataPlan({ ...config, staleness: 'iteration' }, load, random)

    function judgedGroup({ id, text }: PlannedPrompt): JudgedGroup {
      const data = rated.get(text)
      assert(data, `the prompt ${id} is of the data`)
      return {
        ...{ promptId: id, prompt: text, version: NOBODY, judgeVersion: NOBODY },
        completions: data.answers.map((answer) => written(answer, world, tokenizer)),
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

/** An answer of people's as if it had been sampled, its end included. */
function written(text: string, { markers }: World, tokenizer: TextTokenizer): SampledCompletion {
  const tokens = tokenizer.encode(`${text} ${markers.end}`)
  return { writer: 'people', text, tokens, logprobs: new Float32Array(tokens.length), finish: 'stop' }
}
