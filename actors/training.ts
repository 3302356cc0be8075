import type { ActorContext } from '../runtime/kernel/actor.js'
import { assert } from '../runtime/kernel/errors.js'
import { createImprovement } from './improvement.js'
import { Intake } from './intake.js'
import type { LearnerConfig } from './learner-config.js'
import { type LearnerState, learnerStateOf } from './learner-state.js'
import type { DemonstrationBatch, JudgedBatch, ModelSnapshot } from './messages.js'
import { createMixPool } from './mix-pool.js'
import type { UpdateResult } from './objectives/index.js'
import { sumOf } from './objectives/objective.js'
import { createPhases, type PhasesState } from './phases.js'
import { worldTokenizer } from './policy.js'
import { createPublisher } from './publisher.js'
import { createSampleAccounts } from './sample-accounts.js'
import { type GroupOutcome, select } from './selection.js'
import { loadWorld } from './shared.js'
import { startingParams } from './starting-params.js'
import { readState } from './state.js'
import { createSupervised } from './supervised.js'

/**
 * The state and the steps of training: weights, versions, reference and what is published. The learner calls the steps in
 * turns: `supervise` for each batch of demonstrations, `finishSupervised` once, then `update` for each update's batches,
 * as `intake` makes them whole.
 */
export async function createTraining(context: ActorContext<LearnerConfig>) {
  const { config, random, weights, metric, progress, log } = context
  const world = await loadWorld(config.world)
  const tokenizer = worldTokenizer(world)
  const { params, save } = await startingParams(config, random)
  const supervised = createSupervised(config, params, tokenizer, random)
  const pool = createMixPool(random)
  const phases = createPhases({ config, params, tokenizer, world, random, demonstrations: pool })
  const improvement = createImprovement(random)
  const publisher = createPublisher(weights, params.length)
  const samples = createSampleAccounts(context)
  const intake = new Intake<JudgedBatch>({
    onNew: samples.receive,
    onDuplicate: ({ id }) => dropDuplicate(`judged batch ${id}`),
  })
  const trained = { sftTokens: 0, tokens: 0, examples: 0 }
  const prompts = config.iterations.reduce((sum, count) => sum + count, 0)
  let version = 0
  let iteration = -1
  let supervising = true
  /** Batches of demonstrations trained on. */
  let supervisedBatches = 0
  let duplicates = 0

  async function publish(): Promise<void> {
    if (publisher.version === version) return
    await phases.pull()
    publisher.publish(version, params)
    metric('learner/published_version', version)
  }

  /** What was sent before its sender crashed, or before this actor did, may be sent again. */
  function dropDuplicate(what: string): void {
    metric('learner/duplicates', ++duplicates)
    log('warn', `${what} came again and was dropped`)
  }

  async function supervise(batch: DemonstrationBatch): Promise<void> {
    if (batch.id < supervisedBatches) return dropDuplicate(`batch ${batch.id} of demonstrations`)
    const sequences = batch.demonstrations.map(supervised.encode)
    pool.add(batch.demonstrations, sequences)
    trained.sftTokens += await supervised.train(sequences, (loss, steps) => {
      if (steps % 20 === 1) metric('learner/sft_loss', loss)
      trained.examples = Math.min(config.demonstrations, trained.examples + config.sft.rows)
      if (steps % 10 === 0) progress('sft', trained.examples, config.demonstrations, 'examples')
    })
    supervisedBatches = batch.id + 1
  }

  async function finishSupervised(): Promise<ModelSnapshot> {
    progress('sft', config.demonstrations, config.demonstrations, 'examples')
    await supervised.pull()
    await supervised.dispose()
    phases.open()
    supervising = false
    await publish()
    return finishedModel('M1')
  }

  async function finishedModel(name: string): Promise<ModelSnapshot> {
    if (config.checkpoints) await save(`${config.checkpoints}/${name}`, params, tokenizer)
    log('info', `${name} is version ${version}`)
    return { name, version, params: params.slice(), ...samples.iteration() }
  }

  async function update(batches: readonly JudgedBatch[]): Promise<ModelSnapshot | undefined> {
    const last = batches.at(-1)
    assert(!supervising && last, 'an update has batches, and comes after supervised training')
    assert(last.update === version, `update ${last.update} trains version ${version}`)
    if (last.iteration !== iteration) await beginIteration(last.iteration)
    const { objective, training } = phases.now()
    const outcomes = batches.flatMap((batch) => {
      samples.abandon(batch)
      return batch.groups.map((group) => {
        const outcome = { group, selected: select(group, training.selection) }
        samples.settle(outcome, batch, version, publisher.version)
        return outcome
      })
    })
    if (training.improve.length > 0) improvement.add(outcomes.map(({ group }) => group))
    const results = [await objective.update(outcomes, version)]
    if (last.lastOfIteration)
      for (const quantile of training.improve)
        for (const part of improvement.pass(quantile, config.promptsPerUpdate, version))
          results.push(await objective.update(part, version, results.length))
    version++
    for (const result of results) reportSteps(result)
    reportJudgePairs(outcomes)
    reportUpdate()
    const due = config.publishEvery === 'iteration' ? false : version - publisher.version >= config.publishEvery
    if (due || last.lastOfIteration) await publish()
    return last.lastOfIteration ? finishedModel(`M${iteration + 2}`) : undefined
  }

  async function beginIteration(next: number): Promise<void> {
    iteration = next
    samples.beginIteration()
    improvement.begin()
    await phases.begin(iteration)
  }

  function reportSteps(result: UpdateResult | null): void {
    if (!result) return
    trained.tokens += result.tokens
    metric('learner/loss', result.loss, { iteration })
    for (const [name, value] of Object.entries(result.metrics)) metric(name, value, { iteration })
    metric('learner/grad_norm', result.gradNorm, { iteration })
    metric('learner/pairs', result.used, { iteration })
  }

  function reportJudgePairs(outcomes: readonly GroupOutcome[]): void {
    const compared = outcomes.flatMap(({ group }) => (group.judgePairs ? [group.judgePairs.length] : []))
    if (compared.length > 0) metric('learner/judge_pairs', sumOf(compared), { iteration })
  }

  function reportUpdate(): void {
    metric('learner/version', version)
    samples.reportUpdate()
    const { issued, inFlight } = samples.counts()
    progress(`train ${iteration + 1}`, issued - inFlight, prompts, 'prompts')
  }

  async function snapshot(): Promise<LearnerState> {
    await (supervising ? supervised : phases).pull()
    const now = params.slice()
    return {
      params: now,
      version,
      iteration,
      published: publisher.snapshot({ version, params: now }),
      supervised: supervising ? { batches: supervisedBatches, ...(await supervised.snapshot()) } : undefined,
      objective: supervising ? undefined : await phases.snapshot(),
      grown: improvement.snapshot(),
      pool: pool.snapshot(),
      trained: { ...trained },
      intake: intake.snapshot(),
      duplicates,
      samples: samples.snapshot(),
    }
  }

  async function restore(given: unknown): Promise<void> {
    const state = readState('learner', learnerStateOf(config), given)
    params.set(state.params)
    version = state.version
    iteration = state.iteration
    duplicates = state.duplicates
    pool.restore(state.pool)
    Object.assign(trained, state.trained)
    intake.restore(state.intake)
    samples.restore(state.samples)
    if (state.supervised) {
      supervisedBatches = state.supervised.batches
      supervised.restore(state.supervised)
    } else {
      supervising = false
      await supervised.dispose()
    }
    if (state.objective) phases.restore(state.objective as PhasesState, iteration)
    improvement.restore(state.grown)
    publisher.restore(state.published)
  }

  return {
    intake,
    get supervising() {
      return supervising
    },
    snapshot,
    restore,
    supervise,
    finishSupervised,
    update,
    accounts: () => ({
      version,
      published: publisher.version,
      samples: samples.counts(),
      staleness: samples.staleness(),
      trained,
    }),
    dispose: async () => {
      await supervised.dispose()
      await phases.dispose()
    },
  }
}
