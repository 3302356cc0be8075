import { z } from 'zod'
import { addHead, headLayout, initParams } from '../models/index.js'
import type { ActorContext } from '../runtime/kernel/actor.js'
import { assert, TroupeError } from '../runtime/kernel/errors.js'
import { Intake } from './intake.js'
import { labelGroups } from './labelling.js'
import type { CandidateBatch, JudgedBatch, JudgedGroup, ModelSnapshot } from './messages.js'
import { worldTokenizer } from './policy.js'
import type { RewardModelConfig } from './reward-config.js'
import { exampleOf, type RewardExample, rewardKinds } from './reward-kinds.js'
import { createRewardRater, rewardReader } from './reward-rater.js'
import { createRewardTraining } from './reward-training.js'
import { loadWorld } from './shared.js'
import { count, readState, vectorOf } from './state.js'

const NOBODY = { start: -1, end: -1 }

const example = z.strictObject({
  prompt: z.string(),
  answers: z.array(z.string()).readonly(),
  preferred: z.array(z.number()).readonly(),
})
const batchFields = z.looseObject({ id: count, lastOfUpdate: z.boolean(), groups: z.array(z.looseObject({})) })
const batch = z.custom<JudgedBatch>((value) => batchFields.safeParse(value).success, 'not a judged batch')

function rewardStateOf({ model }: RewardModelConfig) {
  const flat = vectorOf(headLayout(model, 'reward').total)
  return z.strictObject({
    /** Absent until there is a model to begin as. */
    flat: flat.optional(),
    /** Absent before training, and once it is over. */
    training: z
      .strictObject({ updates: count, optimizer: z.strictObject({ step: count, m: flat, v: flat }) })
      .optional(),
    intake: z.strictObject({ next: count, waiting: z.array(batch).readonly(), held: z.array(batch).readonly() }),
    heldOut: z.array(example),
    /** Absent until training is over. */
    measured: z
      .strictObject({
        accuracy: z.number().nullable(),
        scale: z.strictObject({ mean: z.number(), deviation: z.number().positive() }),
      })
      .optional(),
    counts: z.strictObject({ prompts: count, tokens: count, rated: count, duplicates: count }),
  })
}
type RewardState = z.output<ReturnType<typeof rewardStateOf>>

/** What a reward model does and has, phase by phase: `beginAs` a model, `train` on updates, `finish`, then `rate`. */
export async function createRewardPhases(context: ActorContext<RewardModelConfig>) {
  const { config, random, metric, progress, log } = context
  check(config)
  const world = await loadWorld(config.world)
  const reader = rewardReader(world, worldTokenizer(world))
  const kind = rewardKinds[config.kind](reader, config.answers, Int32Array.of(config.model.bosTokenId))
  const counts = { prompts: 0, tokens: 0, rated: 0, duplicates: 0 }
  let flat: Float32Array | undefined
  let training: ReturnType<typeof createRewardTraining> | undefined
  let rating: ReturnType<typeof createRewardRater> | undefined
  let heldOut = new Map<string, RewardExample>()
  let measured: RewardState['measured']
  const intake = new Intake<JudgedBatch>({
    onNew: () => {},
    onDuplicate({ id }) {
      metric('reward_model/duplicates', ++counts.duplicates)
      log('warn', `training batch ${id} came again and was dropped`)
    },
  })
  if (config.init === 'scratch') begin(initParams(config.model, random.stream('init')))

  function begin(params: Float32Array): void {
    flat = addHead(config.model, params, 'reward', random.stream('init'))
    training = createRewardTraining(config, flat, kind, random)
  }

  const isHeldOut = (prompt: string) => random.stream('held out', prompt).float() < config.heldOut

  async function train(batches: readonly JudgedBatch[]): Promise<void> {
    assert(training, 'a reward model has begun before it trains')
    const groups = batches.flatMap((batch) => batch.groups)
    const examples = groups.map((group) => exampleOf(group, config.answers))
    for (const one of examples) if (isHeldOut(one.prompt)) heldOut.set(one.prompt, one)
    const result = await training.train(examples.filter(({ prompt }) => !isHeldOut(prompt)))
    counts.prompts += groups.length
    if (result) {
      counts.tokens += result.tokens
      metric('reward_model/loss', result.loss)
      metric('reward_model/accuracy', result.accuracy, { on: 'training' })
    }
    progress('reward model', counts.prompts, config.prompts, 'prompts')
  }

  async function finish(): Promise<void> {
    assert(training && flat, 'a reward model has begun before it is measured')
    if (counts.prompts === 0)
      throw new TroupeError('E_DATA', 'no comparisons came to train the reward model on', {
        hint: 'Connect its input pairs to a preference source or an annotator',
      })
    await training.pull()
    await training.dispose()
    training = undefined
    rating = createRewardRater(config, flat, reader)
    measured = await rating.measure([...heldOut.values()], random)
    rating.use(measured.scale)
    heldOut.clear()
    const { accuracy } = measured
    if (accuracy === null) return
    metric('reward_model/accuracy', accuracy, { on: 'held out' })
    log('info', `the reward model orders ${(100 * accuracy).toFixed(1)} % of the held-out pairs as their labels do`)
  }

  async function rate(batch: CandidateBatch): Promise<JudgedBatch> {
    assert(rating, 'a reward model rates once it is trained')
    const labelled = await labelGroups(rating.rater, batch.groups, config.label, random)
    const groups = batch.groups.map((group, i): JudgedGroup => {
      const { judgments = [], comparisons } = labelled[i] ?? {}
      return { ...group, judgments, ...(comparisons && { comparisons }), judgeVersion: NOBODY }
    })
    const scores = groups.flatMap(({ judgments }) => judgments.flatMap(({ score }) => score ?? []))
    if (scores.length > 0) metric('reward_model/reward', scores.reduce((sum, s) => sum + s, 0) / scores.length)
    counts.rated += groups.length
    progress('rating', counts.rated, undefined, 'prompts')
    return { ...batch, groups }
  }

  return {
    intake,
    get begun() {
      return flat !== undefined
    },
    get finished() {
      return measured !== undefined
    },
    beginAs: ({ params }: ModelSnapshot) => begin(params),
    train,
    finish,
    rate,
    counts: () => ({ ...counts }),
    /** Of the held-out pairs; null where there are none, and until training is over. */
    accuracy: () => measured?.accuracy ?? null,

    async snapshot(): Promise<RewardState> {
      await training?.pull()
      return {
        flat: training ? flat?.slice() : flat,
        training: await training?.snapshot(),
        intake: intake.snapshot(),
        heldOut: [...heldOut.values()],
        measured,
        counts: { ...counts },
      }
    },

    async restore(given: unknown): Promise<void> {
      const state = readState('reward-model', rewardStateOf(config), given)
      intake.restore(state.intake)
      heldOut = new Map(state.heldOut.map((one) => [one.prompt, one]))
      measured = state.measured
      Object.assign(counts, state.counts)
      await training?.dispose()
      training = undefined
      if (!state.flat) return
      flat = state.flat
      if (state.measured) {
        rating = createRewardRater(config, flat, reader)
        rating.use(state.measured.scale)
      } else {
        assert(state.training, 'a reward model that is not trained is in training')
        training = createRewardTraining(config, flat, kind, random)
        training.restore(state.training)
      }
    },

    setAside(input: string, message: unknown): Readonly<Record<string, unknown>> {
      if (input === 'pairs') intake.pass({ ...(message as JudgedBatch), groups: [] })
      if (input !== 'candidates') return {}
      const batch = message as CandidateBatch
      const abandoned = [...(batch.abandoned ?? []), ...batch.groups.map(({ promptId }) => promptId)]
      return { judged: { ...batch, groups: [], abandoned } satisfies JudgedBatch }
    },

    async dispose(): Promise<void> {
      await training?.dispose()
      await rating?.dispose()
    },
  }
}

/** Throws `E_CONFIG` for what would come out only after training. */
function check({ kind, label, heldOut, normalize }: RewardModelConfig): void {
  const scores = label.by === 'points' || (label.by === 'rejection' && label.rewards === 'pointwise')
  if (kind === 'pairwise' && scores)
    throw new TroupeError('E_CONFIG', 'a pairwise ranker compares answers, it has no score of one', {
      where: 'label',
      hint: 'Label by pairs or tournament, or by rejection with rewards pairwise; or take kind pointwise',
    })
  if (kind === 'pointwise' && normalize === 'whiten' && heldOut === 0)
    throw new TroupeError('E_CONFIG', 'without held-out prompts there is nothing to measure the scale of scores on', {
      where: 'heldOut',
      hint: 'Hold some out, or set normalize to none',
    })
}
