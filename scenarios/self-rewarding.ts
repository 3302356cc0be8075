import { evaluator, judge, learner, metaJudge, promptGenerator, sampler, source } from '../actors/index.js'
import { paramLayout } from '../models/index.js'
import { createWeightStore } from '../runtime/tensor/index.js'
import { openBooks } from './books.js'
import { costsOfRoles } from './method-roles.js'
import { openTroupe } from './open-troupe.js'
import type { RunOptions, Scenario } from './scenario.js'
import { type SelfRewardingConfig, selfRewardingConfig } from './self-rewarding-config.js'
import { selfRewardingCosts } from './self-rewarding-costs.js'
import { planOf } from './self-rewarding-plan.js'
import { quick } from './self-rewarding-presets.js'
import { summarize } from './summarize.js'
import type { Summary } from './summary.js'

/**
 * Self-Rewarding Language Models (Yuan et al. 2024, arXiv 2401.10020):
 *
 *     M1 ← SFT(IFT + EFT)
 *     for t = 1, 2, …:
 *       prompts    ← self-instruct by the frozen M1                      (prompt generator)
 *       candidates ← N answers of M_t to each                            (sampler)
 *       scores     ← mean of 3 judgments by M_t of each                  (judge)
 *       M_{t+1}    ← DPO from M_t, reference M_t, best against worst     (learner)
 *
 * With `meta` (Meta-Rewarding, Wu et al. 2024, arXiv 2407.19594) pairs have length tiers, and in the first iterations M_t also
 * compares its own judgments (meta-judge), from which it learns to judge.
 *
 * All of an iteration's lines run at once, under the staleness bound; the evaluator measures M_t meanwhile.
 */
export const selfRewarding: Scenario<typeof selfRewardingConfig> = {
  name: 'self-rewarding',
  title: 'Self-Rewarding Language Models',
  description: 'The policy invents prompts, answers them, judges its answers and trains on its own preferences.',
  config: selfRewardingConfig,
  presets: { quick, full: {} },
  computing: [promptGenerator, sampler, judge, metaJudge, learner, evaluator].map(({ role }) => role),
  traits: {
    humanPreferences: 'seed judgments',
    onPolicy: 'per iteration',
    feedback: 'per iteration',
    frozen: ['previous iterate'],
    trainable: ['policy'],
  },
  run,
}

async function run(options: RunOptions<SelfRewardingConfig>): Promise<Summary> {
  const { config, backend } = options
  const plan = await planOf(config, backend, options.out)
  const prompts = config.iterations.reduce((sum, count) => sum + count, 0)
  const idle = { learner: 'trainer/idle_ratio', sampler: 'sampler/idle_ratio' }
  const { demonstrations } = plan.learner
  const books = openBooks({ demonstrations, prompts, idle }, options.observe, options.resume?.books)
  const weights = createWeightStore(paramLayout(plan.common.model)).handle
  const { troupe, elapsedMs } = openTroupe({ ...options, config: ofItsRoles(config) }, { weights, books })
  const { supervise } = config
  try {
    const people = troupe.actor(source, { config: plan.source, supervise })
    const inventor = troupe.actor(promptGenerator, { config: plan.generator, supervise })
    const samplers = troupe.actor(sampler, { config: plan.sampler, replicas: config.sampler.replicas, supervise })
    const judges = troupe.actor(judge, { config: plan.judge, replicas: config.judge.replicas, supervise })
    const trainer = troupe.actor(learner, { config: plan.learner, supervise })
    const measurer = troupe.actor(evaluator, { config: plan.evaluator, supervise })

    troupe.connect(people.outputs.demonstrations, trainer.inputs.demonstrations)
    troupe.connect(people.outputs.seeds, inventor.inputs.seeds)
    troupe.connect(inventor.outputs.prompts, samplers.inputs.prompts)
    troupe.connect(samplers.outputs.candidates, judges.inputs.candidates)
    if (plan.metaJudge && config.meta) {
      const { replicas } = config.meta
      const comparing = troupe.actor(metaJudge, { config: plan.metaJudge, replicas, supervise })
      troupe.connect(judges.outputs.judged, comparing.inputs.judged)
      troupe.connect(comparing.outputs.judged, trainer.inputs.judged)
    } else troupe.connect(judges.outputs.judged, trainer.inputs.judged)
    troupe.connect(trainer.outputs.snapshots, measurer.inputs.snapshots)

    await troupe.start()
    await troupe.done
    const [accounts, evaluations, sampled, judged] = await Promise.all([
      trainer.ask.accounts(),
      measurer.ask.evaluations(),
      samplers.askAll.counts(),
      judges.askAll.counts(),
    ])
    return summarize({
      scenario: 'self-rewarding',
      options,
      durationMs: elapsedMs(),
      accounts,
      evaluations,
      sampled,
      judged,
      books,
    })
  } finally {
    await troupe.stop()
  }
}

/** What is said of the meta-judge is left out where there is none: it would be refused as a mistake of the user's. */
function ofItsRoles(config: SelfRewardingConfig): SelfRewardingConfig {
  if (config.meta) return config
  const { [metaJudge.role]: _, ...place } = config.place
  const roles = Object.keys(selfRewardingCosts).map((key) => key.split(':')[0]!)
  const others = new Set(roles.filter((role) => role !== metaJudge.role))
  return { ...config, place, costs: costsOfRoles(config.costs, selfRewardingCosts, others) }
}
