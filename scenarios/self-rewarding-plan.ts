import { trainingSchema } from '../actors/training-config.js'
import type { World } from '../actors/world.js'
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
  checkJudging(world, config.meta !== false)
  for (const kind of ['ift', 'prompts'] as const)
    if (start === undefined && demonstrations[kind] === 0)
      throw new TroupeError('E_CONFIG', `demonstrations.${kind} is 0`, {
        hint: 'Without demonstrations the model can neither answer nor invent prompts',
      })
  const model = await modelOf(config.model, world)
  const common = { model, world: reference, engine: { ...config.engine, backend } }
  const { meta } = config
  const counts = { ...demonstrations, ...(config.eft ? {} : { eft: 0 }), meta: meta ? (demonstrations.meta ?? 0) : 0 }
  if (meta) checkMeta(config, world, start === undefined ? counts.meta : undefined)
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
    judge: {
      ...common,
      judgments: config.judge.judgments,
      sampling: config.judge.sampling,
      keepTexts: meta !== false,
    },
    ...(meta ? { metaJudge: metaJudgeOf(meta, common) } : {}),
    learner: {
      ...common,
      sft: config.learner.sft,
      training: trainingsOf(config),
      start,
      demonstrations: counts.ift + counts.eft + counts.prompts + counts.meta,
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

/** DPO from M_t with M_t as reference: best against worst, or by length tiers and with pairs of judgments beside. */
function trainingsOf({ learner, meta }: SelfRewardingConfig) {
  const { beta, minGap, mixRows, mixCoefficient, optimizer } = learner.dpo
  const common = {
    loss: { name: 'dpo', beta },
    mix: { rows: mixRows, coefficient: mixCoefficient },
    optimizer,
  } as const
  if (!meta) return [trainingSchema.parse({ ...common, selection: { rule: 'best-worst', minGap } })]
  return meta.rho.map((rho) => trainingSchema.parse({ ...common, selection: { rule: 'length-tier', rho } }))
}

type Meta = Exclude<SelfRewardingConfig['meta'], false>

function metaJudgeOf<C extends object>({ judgeIterations: iterations, maxJudgment, sampling }: Meta, common: C) {
  return { ...common, iterations, maxJudgment, sampling }
}

/** @param comparisons by people; undefined where the model was taught before */
function checkMeta({ judge }: SelfRewardingConfig, world: World, comparisons: number | undefined): void {
  if (!world.metaContext || !world.readPreference || !world.limits.preference)
    throw new TroupeError('E_CONFIG', `nobody in world ${world.name} compares judgments`, {
      where: 'meta',
      hint: 'A world needs metaContext, readPreference and limits.preference for it',
    })
  if (comparisons === 0)
    throw new TroupeError('E_CONFIG', 'demonstrations.meta is 0, and meta is on', {
      where: 'demonstrations.meta',
      hint: 'Without demonstrations the model cannot compare judgments',
    })
  if (judge.judgments < 2)
    throw new TroupeError('E_CONFIG', 'one judgment of an answer cannot be compared with another', {
      where: 'judge.judgments',
      hint: 'Set judge.judgments to 2 or more; the paper has 11',
    })
}
