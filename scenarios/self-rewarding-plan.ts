import { loadWorld } from '../actors/shared.js'
import { trainingSchema } from '../actors/training-config.js'
import { TroupeError } from '../runtime/index.js'
import type { Backend } from '../runtime/tensor/index.js'
import { modelOf } from './model-of.js'
import type { SelfRewardingConfig } from './self-rewarding-config.js'

/** What each role is given, worked out from the scenario's configuration. */
export async function planOf(config: SelfRewardingConfig, backend: Backend, out: string) {
  const world = await loadWorld(config.world)
  const { staleness, promptsPerUpdate, iterations, batch } = config
  if (batch > promptsPerUpdate)
    throw new TroupeError('E_CONFIG', `batch is ${batch}, more than promptsPerUpdate (${promptsPerUpdate})`, {
      hint: 'Choose a batch that divides promptsPerUpdate',
    })
  for (const kind of ['ift', 'prompts'] as const)
    if (config.demonstrations[kind] === 0)
      throw new TroupeError('E_CONFIG', `demonstrations.${kind} is 0`, {
        hint: 'Without demonstrations the model can neither answer nor invent prompts',
      })
  const model = await modelOf(config.model, world)
  const common = { model, world: config.world, engine: { ...config.engine, backend } }
  const counts = { ...config.demonstrations, ...(config.eft ? {} : { eft: 0 }) }
  const publishEvery = publishEveryOf(staleness)
  return {
    common,
    source: { world: config.world, demonstrations: counts, seedPrompts: config.generator.seedPrompts },
    generator: {
      ...common,
      iterations,
      promptsPerUpdate,
      batch,
      staleness: staleness.max,
      shots: config.generator.shots,
      maxRougeL: config.generator.maxRougeL,
      sampling: config.generator.sampling,
    },
    sampler: {
      ...common,
      candidates: config.sampler.candidates,
      sampling: config.sampler.sampling,
      inFlight: config.sampler.inFlight,
    },
    judge: { ...common, judgments: config.judge.judgments, sampling: config.judge.sampling },
    learner: {
      ...common,
      sft: config.learner.sft,
      training: [trainingOf(config.learner.dpo)],
      demonstrations: counts.ift + counts.eft + counts.prompts,
      iterations,
      promptsPerUpdate,
      publishEvery,
      staleness: staleness.max,
      checkpoints: `${out}/checkpoints`,
    },
    evaluator: {
      ...common,
      gold: { ...config.gold, options: { ...config.world.options, ...config.gold.options } },
      ...config.evaluation,
      judgments: config.judge.judgments,
      sampling: config.sampler.sampling,
    },
  }
}

/** DPO from M_t with M_t as reference, best against worst. */
function trainingOf({ beta, minGap, mixRows, mixCoefficient, optimizer }: SelfRewardingConfig['learner']['dpo']) {
  return trainingSchema.parse({
    loss: { name: 'dpo', beta },
    selection: { rule: 'best-worst', minGap },
    mix: { rows: mixRows, coefficient: mixCoefficient },
    optimizer,
  })
}

/** As rarely as the bound allows, unless told; more rarely than the bound allows is refused. */
function publishEveryOf({ max, publishEvery }: SelfRewardingConfig['staleness']): number | 'iteration' {
  if (max === 'iteration') return publishEvery ?? 'iteration'
  if (publishEvery === undefined) return max + 1
  if (publishEvery === 'iteration' || publishEvery > max + 1)
    throw new TroupeError('E_CONFIG', `staleness.publishEvery ${publishEvery} cannot keep staleness.max ${max}`, {
      hint: `Publish at least every ${max + 1} updates, or allow a greater lag`,
    })
  return publishEvery
}
