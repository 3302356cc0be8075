import { createPromptPool, type PromptPool } from '../alignment/index.js'
import type { Random } from '../runtime/time/random.js'
import type { Policy } from './policy.js'
import type { World } from './world.js'

interface InventorOptions {
  readonly iterations: readonly number[]
  readonly shots: number
  readonly maxRougeL: number
  readonly attempts: number
  readonly sampling: { readonly temperature: number; readonly topP: number; readonly topK: number }
  readonly engine: { readonly batch: number }
}

export interface InventorCounts {
  attempts: number
  kept: number
  /** Why the others were not kept. */
  readonly dropped: Record<string, number>
}

export interface InventorState {
  readonly counts: InventorCounts
  /** Kept, and not handed out yet. */
  readonly ready: readonly string[]
  readonly made: readonly string[]
  readonly seeds: readonly string[]
}

/** Draws candidates in chunks of the engine's batch and keeps the new ones; `next` is undefined when attempts ran out. */
export function createInventor(policy: Policy, world: World, config: InventorOptions, random: Random) {
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
    snapshot: (): InventorState => ({
      counts: { ...counts, dropped: { ...counts.dropped } },
      ready: [...ready],
      made: [...made],
      seeds,
    }),
    restore(state: InventorState) {
      Object.assign(counts, state.counts)
      ready.splice(0, ready.length, ...state.ready)
      made.splice(0, made.length, ...state.made)
      seeds = state.seeds
      pool = createPromptPool([...seeds, ...made])
    },
    async next(): Promise<string | undefined> {
      while (ready.length === 0 && counts.attempts < limit) await invent()
      return ready.shift()
    },
  }
}
