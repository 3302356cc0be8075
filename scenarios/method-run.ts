import { paramLayout } from '../models/index.js'
import { createWeightStore } from '../runtime/tensor/index.js'
import { openBooks } from './books.js'
import type { MethodConfig } from './method-config.js'
import { type Arrangement, methodPlan } from './method-plan.js'
import { costsOf } from './method-roles.js'
import { wireMethod } from './method-wiring.js'
import { openTroupe } from './open-troupe.js'
import type { RunOptions } from './scenario.js'
import { summarize } from './summarize.js'
import type { Summary } from './summary.js'

/** Runs the common roles, wired as arranged, to their end. */
export async function runMethod(
  scenario: string,
  options: RunOptions<MethodConfig>,
  arrangement: Arrangement,
): Promise<Summary> {
  const { config } = options
  const plan = await methodPlan(scenario, config, arrangement, options)
  const prompts = config.iterations.reduce((sum, count) => sum + count, 0)
  const idle = { learner: 'trainer/idle_ratio', sampler: 'sampler/idle_ratio' }
  const { demonstrations } = plan.learner
  const books = openBooks({ demonstrations, prompts, idle }, options.observe, options.resume?.books)
  const weights = createWeightStore(paramLayout(plan.common.model)).handle
  const costs = costsOf(config.costs, arrangement)
  const { troupe, elapsedMs } = openTroupe({ ...options, config: { ...config, costs } }, { weights, books })
  try {
    const { trainer, measurer, sampled, rated } = wireMethod({ troupe, config, plan, arrangement })
    await troupe.start()
    await troupe.done
    const [accounts, evaluations, written, judged] = await Promise.all([
      trainer.ask.accounts(),
      measurer.ask.evaluations(),
      sampled(),
      rated(),
    ])
    const durationMs = elapsedMs()
    return summarize({ scenario, options, durationMs, accounts, evaluations, sampled: written, judged, books })
  } finally {
    await troupe.stop()
  }
}
