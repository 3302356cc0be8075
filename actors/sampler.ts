import { map } from 'rxjs'
import { z } from 'zod'
import { defineActor, port } from '../runtime/kernel/actor.js'
import { assert } from '../runtime/kernel/errors.js'
import type { CandidateBatch, CandidateGroup, PromptBatch } from './messages.js'
import { openPolicy, type WrittenText } from './policy.js'
import { engineSchema, inFlightSchema, loadWorld, modelSchema, moduleSchema, samplingSchema } from './shared.js'
import { count, readState } from './state.js'

const config = z.strictObject({
  model: modelSchema,
  world: moduleSchema,
  engine: engineSchema.prefault({}),
  candidates: z.int().min(2).max(64).default(4).describe('completions of each prompt (N)'),
  sampling: samplingSchema({ temperature: 0.7, topP: 0.9, topK: 0 }),
  inFlight: inFlightSchema,
  deadlineMs: z.number().positive().default(600_000).describe('longest wait for the version that staleness asks for'),
})

const stateSchema = z.strictObject({ issued: count, tokens: count, busyMs: z.number() })

/** Answers prompts: N candidates of each, with the newest published policy that the staleness bound admits. */
export const sampler = defineActor({
  module: import.meta.url,
  role: 'sampler',
  inputs: { prompts: port<PromptBatch>() },
  outputs: { candidates: port<CandidateBatch>() },
  config,
  async start({ config, weights, random, clock, turn, signal, metric, progress }) {
    const world = await loadWorld(config.world)
    const policy = openPolicy(config.model, world, config.engine, { weights })
    const sampling = { ...config.sampling, maxNewTokens: world.limits.answer }
    const counts = { issued: 0, tokens: 0, busyMs: 0 }

    async function sample(batch: PromptBatch): Promise<Omit<CandidateBatch, 'writtenAt'>> {
      policy.follow() // before the work, never after
      counts.issued += batch.prompts.length
      const written = await policy.write(
        batch.prompts.map((prompt) => ({
          context: world.answerContext(prompt.text),
          n: config.candidates,
          random: random.stream(prompt.id),
        })),
        sampling,
        { signal, inFlight: config.inFlight === 'off' ? undefined : config.inFlight },
      )
      const groups = batch.prompts.map((prompt, i): CandidateGroup => {
        const group = written[i] ?? []
        const completions = group.map(({ text, tokens, logprobs, versions, finish }) => {
          counts.tokens += tokens.length
          return { text, tokens, logprobs, ...(config.inFlight !== 'off' && versions ? { versions } : {}), finish }
        })
        return { promptId: prompt.id, prompt: prompt.text, completions, version: spanOf(group) }
      })
      reportWritten(groups)
      progress('sampling', counts.issued, undefined, 'prompts')
      const { prompts: _, ...rest } = batch
      return { ...rest, groups }
    }

    function reportWritten(groups: readonly CandidateGroup[]): void {
      const completions = groups.flatMap((group) => group.completions)
      const fraction = (count: number) => count / Math.max(1, completions.length)
      metric('samples/issued', counts.issued)
      metric('sampler/tokens', counts.tokens)
      metric('completions/mean_length', fraction(completions.reduce((sum, { tokens }) => sum + tokens.length, 0)))
      metric('completions/clipped_ratio', fraction(completions.filter(({ finish }) => finish === 'length').length))
    }

    return {
      streams: ({ prompts }) => ({
        candidates: prompts.pipe(
          turn(sample, {
            ready: async ({ minVersion }) => {
              await weights.atLeast(minVersion, { deadlineMs: config.deadlineMs, signal })
            },
            attributes: ({ id, iteration, prompts }) => ({ batch: id, iteration, prompts: prompts.length }),
          }),
          map((batch) => ({ ...batch, writtenAt: clock.now() })), // the turn has ended: in virtual time, only now
        ),
      }),
      api: { counts: () => counts },
      snapshot: () => ({ ...counts }),
      restore: (state) => void Object.assign(counts, readState('sampler', stateSchema, state)),
      setAside(_input, message) {
        const { prompts, ...rest } = message as PromptBatch
        counts.issued += prompts.length
        const abandoned = prompts.map(({ id }) => id)
        return { candidates: { ...rest, groups: [], writtenAt: clock.now(), abandoned } satisfies CandidateBatch }
      },
      stop: () => policy.dispose(),
    }
  },
})

/** The oldest and the newest version that wrote a token of a group. */
function spanOf(group: readonly WrittenText[]): { start: number; end: number } {
  let [start, end] = [Number.POSITIVE_INFINITY, -1]
  for (const { versions } of group)
    for (const version of versions ?? []) {
      start = Math.min(start, version)
      end = Math.max(end, version)
    }
  assert(start <= end, 'a group has tokens, and each has a version')
  return { start, end }
}
