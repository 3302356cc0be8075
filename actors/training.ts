import { initParams, saveCheckpoint } from '../models/index.js'
import type { TokenSequence } from '../models/types.js'
import type { ActorContext } from '../runtime/kernel/actor.js'
import { assert } from '../runtime/kernel/errors.js'
import type { LearnerConfig } from './learner-config.js'
import type { DemonstrationBatch, JudgedBatch, ModelSnapshot } from './messages.js'
import { worldTokenizer } from './policy.js'
import { createPreference, type UpdateResult } from './preference.js'
import { createSampleAccounts } from './sample-accounts.js'
import { loadWorld } from './shared.js'
import { createSupervised } from './supervised.js'

/** Demonstrations kept for mixing into preference updates. */
const MIX_POOL = 4096

/**
 * The state and the steps of training: weights, versions, reference and what is published. The learner calls the steps in
 * turns: `supervise` for each batch of demonstrations, `finishSupervised` once, then `update` for each update's batches;
 * and `receive` as soon as a judged batch comes in.
 */
export async function createTraining(context: ActorContext<LearnerConfig>) {
  const { config, random, weights, metric, progress, log } = context
  const world = await loadWorld(config.world)
  const tokenizer = worldTokenizer(world)
  const params = initParams(config.model, random.stream('init'))
  const supervised = createSupervised(config, params, tokenizer, random)
  let preference: ReturnType<typeof createPreference> | undefined
  const pool: TokenSequence[] = []
  const samples = createSampleAccounts(context)
  const trained = { sftTokens: 0, dpoTokens: 0, examples: 0 }
  const prompts = config.iterations.reduce((sum, count) => sum + count, 0)
  let version = 0
  let published = -1
  let iteration = -1

  async function publish(): Promise<void> {
    if (published === version) return
    await preference?.pull()
    weights.publish(version, params)
    published = version
    metric('learner/published_version', published)
  }

  async function supervise(batch: DemonstrationBatch): Promise<void> {
    const sequences = batch.demonstrations.map(supervised.encode)
    const keep = batch.demonstrations.flatMap(({ kind }, i) =>
      kind !== 'prompts' && sequences[i] ? [sequences[i]] : [],
    )
    pool.push(...keep.slice(0, Math.max(0, MIX_POOL - pool.length)))
    trained.sftTokens += await supervised.train(sequences, (loss, steps) => {
      if (steps % 20 === 1) metric('learner/sft_loss', loss)
      trained.examples = Math.min(config.demonstrations, trained.examples + config.sft.rows)
      if (steps % 10 === 0) progress('sft', trained.examples, config.demonstrations, 'examples')
    })
  }

  async function finishSupervised(): Promise<ModelSnapshot> {
    progress('sft', config.demonstrations, config.demonstrations, 'examples')
    await supervised.pull()
    await supervised.dispose()
    preference = createPreference(config, params, tokenizer, world)
    await publish()
    return snapshot('M1')
  }

  async function snapshot(name: string): Promise<ModelSnapshot> {
    if (config.checkpoints)
      await saveCheckpoint(`${config.checkpoints}/${name}`, {
        config: config.model,
        params,
        tokenizer,
      })
    log('info', `${name} is version ${version}`)
    return { name, version, params: params.slice(), ...samples.iteration() }
  }

  function mixed(): TokenSequence[] {
    const chance = random.stream('mix', version)
    return pool.length === 0 ? [] : Array.from({ length: config.dpo.mixRows }, () => chance.pick(pool))
  }

  async function update(batches: readonly JudgedBatch[]): Promise<ModelSnapshot | undefined> {
    const last = batches.at(-1)
    assert(preference && last, 'an update has batches, and comes after supervised training')
    assert(last.update === version, `update ${last.update} trains version ${version}`)
    if (last.iteration !== iteration) {
      iteration = last.iteration
      samples.beginIteration()
      await preference.begin(iteration)
    }
    const { choose } = preference
    const outcomes = batches.flatMap((batch) =>
      batch.groups.map((group) => {
        const outcome = choose(group)
        samples.settle(outcome, batch, version, published)
        return outcome
      }),
    )
    const result = await preference.update(outcomes, mixed())
    version++
    report(result)
    const due = config.publishEvery === 'iteration' ? false : version - published >= config.publishEvery
    if (due || last.lastOfIteration) await publish()
    return last.lastOfIteration ? snapshot(`M${iteration + 2}`) : undefined
  }

  function report(result: UpdateResult | null): void {
    if (result) {
      trained.dpoTokens += result.tokens
      metric('learner/loss', result.loss, { iteration })
      metric('rewards/margins', result.margin, { iteration })
      metric('rewards/accuracies', result.accuracy, { iteration })
      metric('rewards/chosen', result.chosenReward, { iteration })
      metric('rewards/rejected', result.rejectedReward, { iteration })
      metric('mismatch_kl/mean', result.mismatchKl, { iteration })
      metric('rl/ess', result.ess, { iteration })
      metric('learner/grad_norm', result.gradNorm, { iteration })
      metric('learner/pairs', result.pairs, { iteration })
    }
    metric('learner/version', version)
    samples.reportUpdate()
    const { issued, inFlight } = samples.counts()
    progress(`dpo ${iteration + 1}`, issued - inFlight, prompts, 'prompts')
  }

  return {
    receive: samples.receive,
    supervise,
    finishSupervised,
    update,
    accounts: () => ({ version, published, samples: samples.counts(), staleness: samples.staleness(), trained }),
    dispose: async () => {
      await supervised.dispose()
      await preference?.dispose()
    },
  }
}
