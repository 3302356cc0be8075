import { trainingSchema } from '../actors/training-config.js'
import { TroupeError } from '../runtime/index.js'
import type { Backend } from '../runtime/tensor/index.js'
import { modelOf } from './model-of.js'
import { checkJudging, runWorld } from './own-data.js'
import type { SelfRewardingConfig } from './self-rewarding-config.js'
import { checkBatch, publishEveryOf } from './staleness.js'

/** What each role is given, worked out from the scenario's configuration. */
export async function planOf(config: SelfRewardingConfig, backend: Backend, out: string) {
  const { world, reference, demonstrations, gold, start } = await runWorld('self-rewarding', config, ['prompts'])
  const { staleness, promptsPerUpdate, iterations, batch } = config
  checkBatch(config)
  checkJudging(world)
  for (const kind of ['ift', 'prompts'] as const)
    if (start === undefined && demonstrations[kind] === 0)
      throw new TroupeError('E_CONFIG', `demonstrations.${kind} is 0`, {
        hint: 'Without demonstrations the model can neither answer nor invent prompts',
      })
  const model = await modelOf(config.model, world)
  const common = { model, world: reference, engine: { ...config.engine, backend } }
  const counts = { ...demonstrations, ...(config.eft ? {} : { eft: 0 }) }
  const publishEvery = publishEveryOf(staleness)
  return {
    common,
    source: { world: reference, demonstrations: counts, seedPrompts: config.generator.seedPrompts },
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
      start,
      demonstrations: counts.ift + counts.eft + counts.prompts,
      iterations,
      promptsPerUpdate,
      publishEvery,
      staleness: staleness.max,
      checkpoints: `${out}/checkpoints`,
    },
    evaluator: {
      ...common,
      gold,
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
