import { z } from 'zod'
import { minVersionOf } from '../alignment/index.js'
import { TroupeError } from '../runtime/kernel/errors.js'
import type { Random } from '../runtime/time/random.js'
import type { PromptBatch } from './messages.js'
import { createPromptPlan, planState } from './prompt-plan.js'
import { count } from './state.js'

/** Keys of every role that hands out data in the learner's order. */
export const dataPlanKeys = {
  iterations: z.array(z.int().min(1)).min(1).describe('prompts of each iteration'),
  promptsPerUpdate: z.int().min(1).describe('prompts that make one update of the learner'),
  batch: z.int().min(1).default(24).describe('prompts in one message; cut at the end of an update'),
  repeat: z
    .boolean()
    .default(false)
    .describe('every iteration has the data of the first again (or a part of them), in another order'),
}

interface DataPlanOptions {
  readonly iterations: readonly number[]
  readonly promptsPerUpdate: number
  readonly batch: number
  readonly repeat: boolean
  readonly staleness: number | 'iteration'
}

export const dataPlanState = z.strictObject({ plan: planState, taken: count })

/**
 * Prompts of a data set in numbered batches ({@link createPromptPlan}): each once, or in every iteration again. `load` gives
 * `count` distinct texts, the same whenever it is called, and is called once, when the first is wanted.
 * Throws `E_CONFIG` where the first iteration has fewer prompts than one that repeats them.
 */
export function createDataPlan(options: DataPlanOptions, load: (count: number) => readonly string[], random: Random) {
  const { iterations, repeat, staleness } = options
  const [first = 0] = iterations
  if (repeat && iterations.some((wanted) => wanted > first))
    throw new TroupeError(
      'E_CONFIG',
      `no iteration can repeat more prompts than the first one has, which is ${first}`,
      {
        where: 'iterations',
        hint: 'Make the first iteration the largest, or repeat off',
      },
    )
  const total = iterations.reduce((sum, wanted) => sum + wanted, 0)
  let texts: readonly string[] | undefined
  let taken = 0

  /** Every prompt of the run in its order. */
  function arranged(): readonly string[] {
    if (!repeat) return load(total)
    const data = load(first)
    return iterations.flatMap((wanted, i) =>
      i === 0 ? data : random.stream('order', i).shuffle(data).slice(0, wanted),
    )
  }

  const plan = createPromptPlan(options, async () => {
    texts ??= arranged()
    return texts[taken++]
  })

  return {
    total,
    get taken() {
      return taken
    },
    async *batches(): AsyncGenerator<PromptBatch> {
      for (let planned = await plan.next(); planned; planned = await plan.next()) {
        const { iterationStart, ...batch } = planned
        yield { ...batch, generatorVersion: -1, minVersion: minVersionOf(batch.update, iterationStart, staleness) }
      }
    },
    snapshot: () => ({ plan: plan.snapshot(), taken }),
    restore(state: z.output<typeof dataPlanState>) {
      plan.restore(state.plan)
      taken = state.taken
    },
  }
}
