import type { z } from 'zod'
import type { Label } from '../actors/labelling.js'
import type { trainingSchema } from '../actors/training-config.js'
import type { WriterChoice } from '../actors/writers.js'
import { TroupeError } from '../runtime/index.js'
import type { Backend } from '../runtime/tensor/index.js'
import { checkArrangement } from './method-checks.js'
import type { MethodConfig } from './method-config.js'
import { modelOf } from './model-of.js'
import { type Piece, type RunWorld, runWorld } from './own-data.js'
import { checkBatch, publishEveryOf } from './staleness.js'

type Training = z.input<typeof trainingSchema>

/** What of the wiring follows from a method and its own keys. */
export interface Arrangement {
  readonly rater: MethodConfig['rater']
  readonly label: Label
  readonly writers: readonly WriterChoice[]
  readonly rewardModel: MethodConfig['rewardModel']
  /** How each iteration trains; the last entry serves all that follow. */
  readonly training: readonly Training[]
}

/** The usual wiring: all as configured; parameters of the method's own loss hold as long as it is the one that is named. */
export function arrangementOf(config: MethodConfig, ownLoss: { readonly [parameter: string]: unknown }): Arrangement {
  const { rater, label, rewardModel, sampler, training } = config
  const given = Object.fromEntries(Object.entries(config.loss).filter(([, value]) => value !== undefined))
  const loss = given.name === ownLoss.name ? { ...ownLoss, ...given } : given
  return { rater, label, rewardModel, writers: sampler.writers, training: [{ ...training, loss }] }
}

/** What each role is given, worked out from the configuration and the arrangement. */
export async function methodPlan(
  scenario: string,
  config: MethodConfig,
  arrangement: Arrangement,
  { backend, out }: { readonly backend: Backend; readonly out: string },
) {
  const own = await runWorld(scenario, config, needsOf(arrangement))
  const { world, reference, gold, start, mostAnswers, demonstrations: counts } = own
  checkBatch({ batch: config.batchSize, promptsPerUpdate: config.promptsPerUpdate })
  const { iterations, promptsPerUpdate, batchSize: batch, repeat, staleness } = config
  const { rater, label, writers } = arrangement
  const isOffline = rater === 'people'
  const people = countOf(writers, 'people')
  const rated = Math.min(config.answers, mostAnswers)
  checkArrangement(config, arrangement)

  const common = {
    model: await modelOf(config.model, world),
    world: reference,
    engine: { ...config.engine, backend },
  }
  const data = { world: reference, iterations, promptsPerUpdate, batch, repeat }
  const outside = config.remote ? { remote: config.remote } : { annotator: config.annotator }
  const sampling = { inFlight: config.sampler.inFlight, sampling: config.sampler.sampling }
  return {
    common,
    source: { world: reference, demonstrations: counts, seedPrompts: 1 },
    prompts: { ...data, staleness: staleness.max, answers: people },
    pairs: { ...data, answers: rated },
    sampler: { ...common, ...sampling, writers: [...writers] },
    annotator: { ...outside, label },
    ...rewardPlan(arrangement, own, common, { sampling, outside }),
    learner: {
      ...common,
      sft: config.sft,
      training: arrangement.training.map((training) => ({
        ...training,
        completions: completionsOf(training, isOffline ? [{ by: 'people', n: rated }] : writers),
        behaviour: !isOffline && people === 0,
      })),
      start: start ?? config.start,
      demonstrations: counts.ift + counts.eft + counts.prompts,
      iterations,
      promptsPerUpdate,
      publishEvery: publishEveryOf(staleness),
      staleness: staleness.max,
      references: config.sampler.replicas,
      checkpoints: `${out}/checkpoints`,
    },
    evaluator: {
      ...common,
      gold,
      ...config.evaluation,
    },
  }
}

/** The parts of the roles that make a reward model. */
function rewardPlan<Common extends object, Sampling extends object, Outside extends object>(
  { rewardModel, label }: Arrangement,
  { reference, mostAnswers }: RunWorld,
  common: Common,
  { sampling, outside }: { readonly sampling: Sampling; readonly outside: Outside },
) {
  const { labels, prompts, answers: wanted, ...reward } = rewardModel
  const answers = labels === 'people' ? Math.min(wanted, mostAnswers) : wanted
  const batch = Math.min(reward.batch, prompts)
  const data = { world: reference, iterations: [prompts], promptsPerUpdate: batch, batch }
  return {
    rewardModel: { ...common, ...reward, prompts, answers, label },
    /** What the reward model is trained on. */
    rewardPairs: { ...data, answers },
    rewardPrompts: { ...data, staleness: 'iteration' as const },
    rewardSampler: { ...common, ...sampling, writers: [{ by: 'first' as const, n: answers }] },
    rewardAnnotator: {
      ...outside,
      label: { ...label, by: 'pairs' as const, which: 'all' as const, orders: 'both' as const },
    },
  }
}

const countOf = (writers: readonly WriterChoice[], ...who: readonly WriterChoice['by'][]) =>
  writers.filter(({ by }) => who.includes(by)).reduce((sum, { n }) => sum + n, 0)

/** Completions of a prompt that an objective may be given: a ranking all, policy gradients the policy's own. */
function completionsOf({ objective = 'preference' }: Training, writers: readonly WriterChoice[]): number {
  if (objective === 'rank') return countOf(writers, 'policy', 'first', 'mixture', 'people')
  const own = countOf(writers, 'policy')
  if (own === 0 && ['ppo', 'reinforce', 'nash-md'].includes(objective))
    throw new TroupeError('E_CONFIG', `${objective} learns from the policy's own completions, and it writes none`, {
      where: 'sampler.writers',
      hint: 'Let the policy write: {"by":"policy","n":4}',
    })
  return Math.max(1, own)
}

/** What the wiring draws from the world, or asks of somebody. */
function needsOf({ rater, writers, rewardModel }: Arrangement): Piece[] {
  if (rater === 'people') return ['pairs']
  const { labels } = rewardModel
  const asks = rater === 'annotator' || (rater === 'reward-model' && labels === 'annotator')
  return [
    'prompts',
    ...(writers.some(({ by }) => by === 'people') ? (['demonstrations'] as const) : []),
    ...(rater === 'reward-model' && labels === 'people' ? (['pairs'] as const) : []),
    ...(asks ? (['annotator'] as const) : []),
  ]
}
