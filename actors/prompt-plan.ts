import type { PromptBatch } from './messages.js'

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

/**
 * Groups prompts into batches, batches into updates, updates into iterations, and numbers them. `next` gives the
 * next prompt, or undefined when there are no more: the running iteration then ends early, and so does the run.
 * One batch is held back, so that the last one of an update or iteration always knows that it is.
 */
export async function* createPromptPlan(
  options: PlanOptions,
  next: () => Promise<string | undefined>,
): AsyncGenerator<PlannedBatch> {
  const { iterations, promptsPerUpdate, batch: size } = options
  let id = 0
  let update = 0
  let left = iterations.reduce((sum, n) => sum + n, 0)
  const pull = async () => (left-- > 0 ? next() : undefined)
  let ahead = await pull()
  for (let iteration = 0; iteration < iterations.length && ahead !== undefined; iteration++) {
    const iterationStart = update
    let wanted = iterations[iteration] ?? 0
    while (wanted > 0 && ahead !== undefined) {
      let room = Math.min(promptsPerUpdate, wanted)
      while (room > 0 && ahead !== undefined) {
        const prompts: { id: string; text: string }[] = []
        while (prompts.length < Math.min(size, room) && ahead !== undefined) {
          prompts.push({ id: `${id}.${prompts.length}`, text: ahead })
          ahead = await pull()
        }
        room -= prompts.length
        wanted -= prompts.length
        const lastOfIteration = wanted === 0 || ahead === undefined
        const lastOfUpdate = room === 0 || lastOfIteration
        yield { id: id++, iteration, update, iterationStart, lastOfUpdate, lastOfIteration, prompts }
      }
      update++
    }
  }
}
