import {
  annotator,
  evaluator,
  learner,
  preferenceSource,
  promptSource,
  rewardModel,
  sampler,
  source,
} from '../actors/index.js'
import { paramLayout } from '../models/index.js'
import { createWeightStore } from '../runtime/tensor/index.js'
import { openBooks } from './books.js'
import type { MethodConfig } from './method-config.js'
import { type Arrangement, methodPlan } from './method-plan.js'
import { openTroupe } from './open-troupe.js'
import type { RunOptions } from './scenario.js'
import { summarize } from './summarize.js'
import type { Summary } from './summary.js'

/** Wires the common roles as arranged, and runs them. */
export async function runMethod(
  name: string,
  options: RunOptions<MethodConfig>,
  arrangement: Arrangement,
): Promise<Summary> {
  const { config, backend } = options
  const { supervise } = config
  const plan = await methodPlan(config, arrangement, backend, options.out)
  const prompts = config.iterations.reduce((sum, count) => sum + count, 0)
  const idle = { learner: 'trainer/idle_ratio', sampler: 'sampler/idle_ratio' }
  const { demonstrations } = plan.learner
  const books = openBooks({ demonstrations, prompts, idle }, options.observe, options.resume?.books)
  const weights = createWeightStore(paramLayout(plan.common.model)).handle
  const { troupe, elapsedMs } = openTroupe(options, { weights, books })
  const { rater, writers } = arrangement
  try {
    const people = troupe.actor(source, { config: plan.source, supervise })
    const trainer = troupe.actor(learner, { config: plan.learner, supervise })
    const measurer = troupe.actor(evaluator, { config: plan.evaluator, supervise })
    troupe.connect(people.outputs.demonstrations, trainer.inputs.demonstrations)
    troupe.connect(trainer.outputs.snapshots, measurer.inputs.snapshots)

    /** Actors that write completions for the learner, and how many prompts they were given. */
    const counters: (() => Promise<readonly { readonly issued: number; readonly tokens: number }[]>)[] = []
    const judged: (() => Promise<readonly { readonly judged: number }[]>)[] = []
    if (rater === 'people') {
      const pairs = troupe.actor(preferenceSource, { config: plan.pairs, supervise })
      troupe.connect(pairs.outputs.judged, trainer.inputs.judged)
      counters.push(async () => [{ issued: prompts, tokens: 0 }])
    } else {
      const asked = troupe.actor(promptSource, { config: plan.prompts, supervise })
      const samplers = troupe.actor(sampler, { config: plan.sampler, replicas: config.sampler.replicas, supervise })
      troupe.connect(asked.outputs.prompts, samplers.inputs.prompts)
      if (writers.some(({ by }) => by === 'first' || by === 'mixture'))
        troupe.connect(trainer.outputs.reference, samplers.inputs.reference)
      counters.push(() => samplers.askAll.counts())
      if (rater === 'none') troupe.connect(samplers.outputs.candidates, trainer.inputs.candidates)
      if (rater === 'annotator') {
        const raters = troupe.actor(annotator, { config: plan.annotator, replicas: config.raters, supervise })
        troupe.connect(samplers.outputs.candidates, raters.inputs.candidates)
        troupe.connect(raters.outputs.judged, trainer.inputs.judged)
        judged.push(() => raters.askAll.counts())
      }
      if (rater === 'reward-model') {
        const scorer = troupe.actor(rewardModel, { config: plan.rewardModel, supervise })
        if (plan.rewardModel.init === 'policy') troupe.connect(trainer.outputs.reference, scorer.inputs.reference)
        troupe.connect(samplers.outputs.candidates, scorer.inputs.candidates)
        troupe.connect(scorer.outputs.judged, trainer.inputs.judged)
        judged.push(() => scorer.askAll.counts())
        if (arrangement.rewardModel.labels === 'people') {
          const pairs = troupe.actor(preferenceSource, { config: plan.rewardPairs, supervise })
          troupe.connect(pairs.outputs.judged, scorer.inputs.pairs)
        } else {
          const named = (what: string) => ({ name: `${what} of labels`, supervise })
          const asking = troupe.actor(promptSource, { config: plan.rewardPrompts, ...named('prompts') })
          const writing = troupe.actor(sampler, { config: plan.rewardSampler, ...named('sampler') })
          const labelling = troupe.actor(annotator, { config: plan.rewardAnnotator, ...named('annotator') })
          troupe.connect(asking.outputs.prompts, writing.inputs.prompts)
          troupe.connect(trainer.outputs.reference, writing.inputs.reference)
          troupe.connect(writing.outputs.candidates, labelling.inputs.candidates)
          troupe.connect(labelling.outputs.judged, scorer.inputs.pairs)
        }
      }
    }

    await troupe.start()
    await troupe.done
    const [accounts, evaluations, sampled, rated] = await Promise.all([
      trainer.ask.accounts(),
      measurer.ask.evaluations(),
      Promise.all(counters.map((ask) => ask())),
      Promise.all(judged.map((ask) => ask())),
    ])
    return summarize({
      scenario: name,
      options,
      durationMs: elapsedMs(),
      accounts,
      evaluations,
      sampled: sampled.flat(),
      judged: rated.flat(),
      books,
    })
  } finally {
    await troupe.stop()
  }
}
