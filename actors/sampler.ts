import { concat, defer, ignoreElements, map, type Observable, take, tap, throwError } from 'rxjs'
import { z } from 'zod'
import { paramLayout } from '../models/index.js'
import { defineActor, port } from '../runtime/kernel/actor.js'
import { assert, TroupeError } from '../runtime/kernel/errors.js'
import type { CandidateBatch, CandidateGroup, ModelSnapshot, PromptBatch, SampledCompletion } from './messages.js'
import { openPolicy } from './policy.js'
import { engineSchema, inFlightSchema, loadWorld, modelSchema, moduleSchema, samplingSchema } from './shared.js'
import { count, readState, unwanted, vectorOf } from './state.js'
import { createWriters, writersSchema } from './writers.js'

const config = z.strictObject({
  model: modelSchema,
  world: moduleSchema,
  engine: engineSchema.prefault({}),
  candidates: z.int().min(2).max(64).default(4).describe('completions of each prompt (N)'),
  writers: writersSchema.optional().describe('who writes them, in their order, in place of the policy alone'),
  sampling: samplingSchema({ temperature: 0.7, topP: 0.9, topK: 0 }),
  inFlight: inFlightSchema,
  deadlineMs: z.number().positive().default(600_000).describe('longest wait for the version that staleness asks for'),
})

const stateOf = (parameters: number) =>
  z.strictObject({ issued: count, tokens: count, busyMs: z.number(), reference: vectorOf(parameters).optional() })

/**
 * Answers prompts: N candidates of each, with the newest published policy that the staleness bound admits, and what other
 * writers add. Where one of them reads the frozen first model, nothing is written before that has come on `reference`: once
 * for each replica, because a message goes to one of them.
 */
export const sampler = defineActor({
  module: import.meta.url,
  role: 'sampler',
  inputs: { prompts: port<PromptBatch>(), reference: port<ModelSnapshot>({ optional: true }) },
  outputs: { candidates: port<CandidateBatch>() },
  config,
  async start({ config, weights, random, clock, turn, signal, metric, progress }) {
    const world = await loadWorld(config.world)
    const policy = openPolicy(config.model, world, config.engine, { weights })
    const { model, engine, writers: choices = [{ by: 'policy', n: config.candidates }] } = config
    const writers = createWriters(choices, { model, engine, world, policy, random })
    const sampling = { ...config.sampling, maxNewTokens: world.limits.answer }
    const counts = { issued: 0, tokens: 0, busyMs: 0 }

    async function sample(batch: PromptBatch): Promise<Omit<CandidateBatch, 'writtenAt'>> {
      if (writers.followsPolicy) policy.follow() // before the work, never after
      counts.issued += batch.prompts.length
      const inFlight = config.inFlight === 'off' ? undefined : config.inFlight
      const written = await writers.write(batch.prompts, sampling, { signal, inFlight })
      const groups = batch.prompts.map(({ id, text }, i): CandidateGroup => {
        const group = written[i] ?? []
        const completions = inFlight ? group : group.map(({ versions: _, ...completion }) => completion)
        return { promptId: id, prompt: text, completions, version: spanOf(group) }
      })
      reportWritten(groups)
      progress('sampling', counts.issued, undefined, 'prompts')
      const { prompts: _, ...rest } = batch
      return { ...rest, groups }
    }

    function reportWritten(groups: readonly CandidateGroup[]): void {
      const completions = groups.flatMap((group) => group.completions.filter(({ writer }) => writer !== 'people'))
      counts.tokens += completions.reduce((sum, { tokens }) => sum + tokens.length, 0)
      const fraction = (count: number) => count / Math.max(1, completions.length)
      metric('samples/issued', counts.issued)
      metric('sampler/tokens', counts.tokens)
      metric('completions/mean_length', fraction(completions.reduce((sum, { tokens }) => sum + tokens.length, 0)))
      metric('completions/clipped_ratio', fraction(completions.filter(({ finish }) => finish === 'length').length))
    }

    function answered(prompts: Observable<PromptBatch>): Observable<CandidateBatch> {
      return prompts.pipe(
        turn(sample, {
          ready: async ({ minVersion }) => {
            if (writers.followsPolicy) await weights.atLeast(minVersion, { deadlineMs: config.deadlineMs, signal })
          },
          attributes: ({ id, iteration, prompts }) => ({ batch: id, iteration, prompts: prompts.length }),
        }),
        map((batch) => ({ ...batch, writtenAt: clock.now() })), // the turn has ended: in virtual time, only now
      )
    }

    /** Prompts are let in once the first model is there; waiting in a turn would hold that back, too. */
    function afterReference(prompts: Observable<PromptBatch>, reference: Observable<ModelSnapshot>) {
      const held = reference.pipe(
        take(1),
        tap(({ params }) => writers.hold(params)),
        ignoreElements(),
      )
      return concat(
        held,
        defer(() => (writers.wantsReference ? throwError(noReference) : answered(prompts))),
      )
    }

    return {
      streams({ prompts, reference }) {
        if (writers.wantsReference) return { candidates: afterReference(prompts, reference) }
        unwanted(reference)
        return { candidates: answered(prompts) }
      },
      api: { counts: () => counts },
      snapshot: () => ({ ...counts, ...(writers.reference ? { reference: writers.reference } : {}) }),
      restore(state) {
        const { reference, ...counted } = readState('sampler', stateOf(paramLayout(model).total), state)
        Object.assign(counts, counted)
        if (reference) writers.hold(reference)
      },
      setAside(input, message) {
        if (input === 'reference') return {}
        const { prompts, ...rest } = message as PromptBatch
        counts.issued += prompts.length
        const abandoned = prompts.map(({ id }) => id)
        return { candidates: { ...rest, groups: [], writtenAt: clock.now(), abandoned } satisfies CandidateBatch }
      },
      stop: () => writers.dispose(),
    }
  },
})

const noReference = () =>
  new TroupeError('E_CONFIG', 'a writer reads the first model (first, mixture), and none came', {
    where: 'sampler',
    hint: 'Connect the output `reference` of the learner with the input `reference` of the sampler; each replica needs one',
  })

/** The oldest and the newest version that wrote a token of a group; −1 where no version did. */
function spanOf(group: readonly SampledCompletion[]): { start: number; end: number } {
  let [start, end] = [Number.POSITIVE_INFINITY, -1]
  for (const { writer, versions } of group) {
    assert(versions || writer === 'first' || writer === 'people', 'what the policy writes says its version')
    for (const version of versions ?? []) {
      start = Math.min(start, version)
      end = Math.max(end, version)
    }
  }
  return end < 0 ? { start: -1, end: -1 } : { start, end }
}
