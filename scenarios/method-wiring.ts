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
import type { ActorDefinition, ActorRef, Troupe } from '../runtime/index.js'
import type { MethodConfig } from './method-config.js'
import type { Arrangement, methodPlan } from './method-plan.js'

type Plan = Awaited<ReturnType<typeof methodPlan>>

/** A role as an actor of a troupe. */
type RefOf<D> = D extends ActorDefinition<infer I, infer O, infer _, infer A> ? ActorRef<I, O, A> : never

interface Wiring {
  readonly troupe: Troupe
  readonly config: MethodConfig
  readonly plan: Plan
  readonly arrangement: Arrangement
}

/** Adds the common roles to a troupe and connects them as arranged. */
export function wireMethod(wiring: Wiring) {
  const { troupe, config, plan, arrangement } = wiring
  const { supervise } = config
  const people = troupe.actor(source, { config: plan.source, supervise })
  const trainer = troupe.actor(learner, { config: plan.learner, supervise })
  const measurer = troupe.actor(evaluator, { config: plan.evaluator, supervise })
  troupe.connect(people.outputs.demonstrations, trainer.inputs.demonstrations)
  troupe.connect(trainer.outputs.snapshots, measurer.inputs.snapshots)
  if (arrangement.rater === 'people') {
    const pairs = troupe.actor(preferenceSource, { config: plan.pairs, supervise })
    troupe.connect(pairs.outputs.judged, trainer.inputs.judged)
    const given = config.iterations.reduce((sum, count) => sum + count, 0)
    return { trainer, measurer, sampled: async () => [{ issued: given, tokens: 0 }], rated: async () => [] }
  }
  const asked = troupe.actor(promptSource, { config: plan.prompts, supervise })
  const samplers = troupe.actor(sampler, { config: plan.sampler, replicas: config.sampler.replicas, supervise })
  troupe.connect(asked.outputs.prompts, samplers.inputs.prompts)
  if (arrangement.writers.some(({ by }) => by === 'first' || by === 'mixture'))
    troupe.connect(trainer.outputs.reference, samplers.inputs.reference)
  return { trainer, measurer, sampled: () => samplers.askAll.counts(), rated: wireRater(wiring, trainer, samplers) }
}

/** Puts the rater between samplers and learner; returns what asks it for its counts. */
function wireRater(
  { troupe, config, plan, arrangement }: Wiring,
  trainer: RefOf<typeof learner>,
  samplers: RefOf<typeof sampler>,
): () => Promise<readonly { readonly judged: number }[]> {
  const { supervise } = config
  if (arrangement.rater === 'none') {
    troupe.connect(samplers.outputs.candidates, trainer.inputs.candidates)
    return async () => []
  }
  if (arrangement.rater === 'annotator') {
    const raters = troupe.actor(annotator, { config: plan.annotator, replicas: config.raters, supervise })
    troupe.connect(samplers.outputs.candidates, raters.inputs.candidates)
    troupe.connect(raters.outputs.judged, trainer.inputs.judged)
    return () => raters.askAll.counts()
  }
  const scorer = troupe.actor(rewardModel, { config: plan.rewardModel, supervise })
  if (plan.rewardModel.init === 'policy') troupe.connect(trainer.outputs.reference, scorer.inputs.reference)
  troupe.connect(samplers.outputs.candidates, scorer.inputs.candidates)
  troupe.connect(scorer.outputs.judged, trainer.inputs.judged)
  if (arrangement.rewardModel.labels === 'people') {
    const pairs = troupe.actor(preferenceSource, { config: plan.rewardPairs, supervise })
    troupe.connect(pairs.outputs.judged, scorer.inputs.pairs)
    return async () => (await scorer.askAll.counts()).map(({ rated }) => ({ judged: rated }))
  }
  const named = (what: string) => ({ name: `${what} of labels`, supervise })
  const asking = troupe.actor(promptSource, { config: plan.rewardPrompts, ...named('prompts') })
  const writing = troupe.actor(sampler, { config: plan.rewardSampler, ...named('sampler') })
  const labelling = troupe.actor(annotator, { config: plan.rewardAnnotator, ...named('annotator') })
  troupe.connect(asking.outputs.prompts, writing.inputs.prompts)
  troupe.connect(trainer.outputs.reference, writing.inputs.reference)
  troupe.connect(writing.outputs.candidates, labelling.inputs.candidates)
  troupe.connect(labelling.outputs.judged, scorer.inputs.pairs)
  return async () => (await scorer.askAll.counts()).map(({ rated }) => ({ judged: rated }))
}
