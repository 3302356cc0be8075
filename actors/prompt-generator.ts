import { from, switchMap, take } from 'rxjs'
import { z } from 'zod'
import { createPromptPool, minVersionOf, type PromptPool } from '../alignment/index.js'
import { defineActor, port } from '../runtime/kernel/actor.js'
import type { Random } from '../runtime/time/random.js'
import type { PromptBatch, SeedPrompts } from './messages.js'
import { openPolicy, type Policy } from './policy.js'
import { createPromptPlan, type PlannedBatch } from './prompt-plan.js'
import { engineSchema, loadWorld, modelSchema, moduleSchema, samplingSchema } from './shared.js'
import type { World } from './world.js'

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
type Config = z.output<typeof config>

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

    async function* prompts(seeds: readonly string[]): AsyncGenerator<PromptBatch> {
      const version = policy.follow()
      inventor.start(seeds)
      const wanted = config.iterations.reduce((sum, n) => sum + n, 0)
      for await (const planned of createPromptPlan(config, () => inventor.next())) {
        progress('inventing', inventor.counts.kept, wanted, 'prompts')
        metric('prompts/keep_rate', inventor.counts.kept / inventor.counts.attempts)
        for (const [reason, count] of Object.entries(inventor.counts.dropped))
          metric('prompts/dropped', count, { reason })
        yield withVersions(planned, version)
      }
      const { kept, attempts, dropped } = inventor.counts
      if (kept >= wanted) return
      const why = Object.entries(dropped).map(([reason, count]) => `${count} ${reason}`)
      log(
        'warn',
        `only ${kept} of ${wanted} prompts in ${attempts} attempts (${why.join(', ')}): the run ends early; more \`prompts\` demonstrations may help`,
      )
    }

    const withVersions = ({ iterationStart, ...batch }: PlannedBatch, generatorVersion: number): PromptBatch => ({
      ...batch,
      generatorVersion,
      minVersion: minVersionOf(batch.update, iterationStart, config.staleness),
    })

    return {
      streams: ({ seeds }) => ({
        prompts: seeds.pipe(
          take(1),
          switchMap(({ prompts: first }) =>
            from(weights.atLeast(0, { deadlineMs: config.deadlineMs, signal })).pipe(
              switchMap(() => turn.generate('inventing', () => prompts(first))),
            ),
          ),
        ),
      }),
      api: { counts: () => inventor.counts },
      stop: () => policy.dispose(),
    }
  },
})

export interface InventorCounts {
  attempts: number
  kept: number
  /** Why the others were not kept. */
  readonly dropped: Record<string, number>
}

/** Draws candidates in chunks of the engine's batch and keeps the new ones; `next` is undefined when attempts ran out. */
function createInventor(policy: Policy, world: World, config: Config, random: Random) {
  const counts: InventorCounts = { attempts: 0, kept: 0, dropped: {} }
  const limit = config.iterations.reduce((sum, n) => sum + n, 0) * config.attempts
  const ready: string[] = []
  const made: string[] = []
  let seeds: readonly string[] = []
  let pool: PromptPool = createPromptPool([])

  const drop = (reason: string) => {
    counts.dropped[reason] = (counts.dropped[reason] ?? 0) + 1
  }

  function consider(text: string): void {
    const read = world.readPrompt(text)
    if ('malformed' in read) drop('malformed')
    else if (world.isHeldOut(read.prompt)) drop('held out')
    else if (pool.greatestRougeL(read.prompt) >= config.maxRougeL) drop('not new')
    else {
      pool.add(read.prompt)
      made.push(read.prompt)
      ready.push(read.prompt)
      counts.kept++
    }
  }

  function shots(chance: Random): string[] {
    const own = made.length > 0 && config.shots > 1 ? [chance.pick(made)] : []
    const human = chance.shuffle(seeds).slice(0, config.shots - own.length)
    return chance.shuffle([...human, ...own])
  }

  async function invent(): Promise<void> {
    const requests = Array.from({ length: config.engine.batch }, (_, i) => {
      const chance = random.stream('attempt', counts.attempts + i)
      return { context: world.promptContext(shots(chance.stream('shots'))), n: 1, random: chance }
    })
    counts.attempts += requests.length
    const written = await policy.write(requests, { ...config.sampling, maxNewTokens: world.limits.prompt })
    for (const [completion] of written) if (completion) consider(completion.text)
  }

  return {
    counts,
    start(from: readonly string[]) {
      seeds = from
      pool = createPromptPool(from)
    },
    async next(): Promise<string | undefined> {
      while (ready.length === 0 && counts.attempts < limit) await invent()
      return ready.shift()
    },
  }
}
