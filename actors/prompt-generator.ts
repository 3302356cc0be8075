import { from, type Observable, switchMap, take, tap } from 'rxjs'
import { z } from 'zod'
import { minVersionOf } from '../alignment/index.js'
import { paramLayout } from '../models/index.js'
import { defineActor, port } from '../runtime/kernel/actor.js'
import { createInventor } from './inventor.js'
import type { PromptBatch, SeedPrompts } from './messages.js'
import { openPolicy } from './policy.js'
import { createPromptPlan, type PlannedBatch, planState } from './prompt-plan.js'
import { engineSchema, loadWorld, modelSchema, moduleSchema, samplingSchema } from './shared.js'
import { count, readState, unwanted, vectorOf } from './state.js'

const config = z.strictObject({
  model: modelSchema,
  world: moduleSchema,
  engine: engineSchema.prefault({}),
  iterations: z.array(z.int().min(1)).min(1).describe('new prompts wanted in each iteration'),
  promptsPerUpdate: z.int().min(1).describe('prompts whose pairs make one update of the learner'),
  batch: z.int().min(1).default(24).describe('prompts in one message; at most promptsPerUpdate'),
  staleness: z
    .union([z.int().min(0), z.literal('iteration')])
    .describe('greatest lag of a sample, in learner versions; "iteration": all of an iteration from its first model'),
  shots: z.int().min(1).max(8).default(4).describe('example prompts shown; one of them self-made once there are some'),
  maxRougeL: z.number().min(0).max(1).default(0.7).describe('a prompt as near as this to one in the pool is not new'),
  attempts: z.number().min(1).default(30).describe('most attempts for each prompt wanted, on average'),
  sampling: samplingSchema({ temperature: 1, topP: 0.95, topK: 0 }),
  deadlineMs: z.number().positive().default(1_800_000).describe('longest wait for the first model'),
})

const texts = z.array(z.string())

/** `undefined` while there are no seeds; the frozen model is there from the first batch on. */
const stateOf = (parameters: number) =>
  z
    .strictObject({
      frozen: z.strictObject({ version: count, params: vectorOf(parameters) }).optional(),
      inventor: z.strictObject({
        counts: z.strictObject({ attempts: count, kept: count, dropped: z.record(z.string(), count) }),
        ready: texts,
        made: texts,
        seeds: texts,
      }),
      plan: planState,
      ended: z.boolean(),
    })
    .optional()

/**
 * Invents prompts (self-instruct): few-shot by the first published model, which stays frozen here. A prompt is kept
 * when it is well-formed, not held out, and its greatest ROUGE-L to the pool is below `maxRougeL`.
 */
export const promptGenerator = defineActor({
  module: import.meta.url,
  role: 'prompt-generator',
  inputs: { seeds: port<SeedPrompts>() },
  outputs: { prompts: port<PromptBatch>() },
  config,
  async start({ config, weights, random, turn, signal, metric, progress, log }) {
    const world = await loadWorld(config.world)
    const policy = openPolicy(config.model, world, config.engine, { weights })
    const inventor = createInventor(policy, world, config, random)

    const plan = createPromptPlan(config, () => inventor.next())
    const wanted = config.iterations.reduce((sum, n) => sum + n, 0)
    let seeded = false
    let frozen: { readonly version: number; readonly params: Float32Array } | undefined
    let ended = false

    async function* prompts(): AsyncGenerator<PromptBatch> {
      frozen ??= { version: policy.follow(), params: policy.model.params }
      const { version } = frozen
      for (let planned = await plan.next(); planned; planned = await plan.next()) {
        progress('inventing', inventor.counts.kept, wanted, 'prompts')
        metric('prompts/keep_rate', inventor.counts.kept / inventor.counts.attempts)
        for (const [reason, dropped] of Object.entries(inventor.counts.dropped))
          metric('prompts/dropped', dropped, { reason })
        yield withVersions(planned, version)
      }
      const { kept, attempts, dropped } = inventor.counts
      if (kept >= wanted || ended) return
      ended = true
      const why = Object.entries(dropped).map(([reason, number]) => `${number} ${reason}`)
      log(
        'warn',
        `only ${kept} of ${wanted} prompts in ${attempts} attempts (${why.join(', ')}): the run ends early; more \`prompts\` demonstrations may help`,
      )
    }

    /** Once there is a model: the first one published, which is never followed again. */
    function invented(): Observable<PromptBatch> {
      const generated = () => turn.generate('inventing', prompts)
      if (frozen) return generated()
      return from(weights.atLeast(0, { deadlineMs: config.deadlineMs, signal })).pipe(switchMap(generated))
    }

    function begin({ prompts: seeds }: SeedPrompts): void {
      seeded = true
      inventor.start(seeds)
    }

    const withVersions = ({ iterationStart, ...batch }: PlannedBatch, generatorVersion: number): PromptBatch => ({
      ...batch,
      generatorVersion,
      minVersion: minVersionOf(batch.update, iterationStart, config.staleness),
    })

    return {
      streams: ({ seeds }) => {
        if (seeded) unwanted(seeds)
        return { prompts: seeded ? invented() : seeds.pipe(take(1), tap(begin), switchMap(invented)) }
      },
      api: { counts: () => inventor.counts },
      snapshot: () => (seeded ? { frozen, inventor: inventor.snapshot(), plan: plan.snapshot(), ended } : undefined),
      restore(state) {
        const read = readState('prompt-generator', stateOf(paramLayout(config.model).total), state)
        if (!read) return
        seeded = true
        inventor.restore(read.inventor)
        plan.restore(read.plan)
        ended = read.ended
        if (!read.frozen) return
        policy.hold(read.frozen.version, read.frozen.params)
        frozen = { version: read.frozen.version, params: policy.model.params }
      },
      stop: () => policy.dispose(),
    }
  },
})
