import { z } from 'zod'
import type { PromptBatch } from './messages.js'
import { count } from './state.js'

export interface PlannedBatch extends Omit<PromptBatch, 'minVersion' | 'generatorVersion'> {
  /** The learner's update with which this iteration begins. */
  readonly iterationStart: number
}

export interface PlanOptions {
  /** Prompts wanted in each iteration. */
  readonly iterations: readonly number[]
  readonly promptsPerUpdate: number
  /** Prompts in one batch; cut at the end of an update. */
  readonly batch: number
}

/** How far a plan has come. */
export const planState = z.strictObject({
  /** Of the next batch. */
  ...{ id: count, iteration: count, update: count, iterationStart: count },
  /** Prompts still wanted: in this iteration, in this update, and from whoever gives them. */
  ...{ wanted: count, room: count, left: count },
  /** The prompt that is held back; absent where there are no more, or none was asked for yet. */
  ahead: z.string().optional(),
  begun: z.boolean(),
})
type PlanState = z.output<typeof planState>

export interface PromptPlan {
  /** The next batch, or undefined when the plan has come to its end. */
  next(): Promise<PlannedBatch | undefined>
  snapshot(): PlanState
  restore(state: PlanState): void
}

/**
 * Groups prompts into batches, batches into updates, updates into iterations, and numbers them. `nextPrompt` gives the
 * next prompt, or undefined when there are no more: the running iteration then ends early, and so does the run.
 * One prompt is held back, so that the last batch of an update or iteration always knows that it is.
 */
export function createPromptPlan(options: PlanOptions, nextPrompt: () => Promise<string | undefined>): PromptPlan {
  const { iterations, promptsPerUpdate, batch: size } = options
  const at = {
    ...{ id: 0, iteration: 0, update: 0, iterationStart: 0 },
    wanted: iterations[0] ?? 0,
    room: Math.min(promptsPerUpdate, iterations[0] ?? 0),
    left: iterations.reduce((sum, n) => sum + n, 0),
    ahead: undefined as string | undefined,
    begun: false,
  }

  async function pull(): Promise<void> {
    const wanted = at.left > 0
    if (wanted) at.left--
    at.ahead = wanted ? await nextPrompt() : undefined
  }

  /** Sets out on the next update, and the next iteration where this one is over. */
  function advance(lastOfIteration: boolean): void {
    at.update++
    if (lastOfIteration) {
      at.iteration++
      at.iterationStart = at.update
      at.wanted = iterations[at.iteration] ?? 0
    }
    at.room = Math.min(promptsPerUpdate, at.wanted)
  }

  return {
    async next() {
      if (!at.begun) await pull()
      at.begun = true
      if (at.ahead === undefined) return undefined
      const { id, iteration, update, iterationStart } = at
      const most = Math.min(size, at.room)
      const prompts: { id: string; text: string }[] = []
      while (prompts.length < most && at.ahead !== undefined) {
        prompts.push({ id: `${id}.${prompts.length}`, text: at.ahead })
        await pull()
      }
      at.room -= prompts.length
      at.wanted -= prompts.length
      at.id++
      const lastOfIteration = at.wanted === 0 || at.ahead === undefined
      const lastOfUpdate = at.room === 0 || lastOfIteration
      if (lastOfUpdate) advance(lastOfIteration)
      return { id, iteration, update, iterationStart, lastOfUpdate, lastOfIteration, prompts }
    },
    snapshot: () => ({ ...at }),
    restore(state) {
      Object.assign(at, state, { ahead: state.ahead })
    },
  }
}
