import { concat, defer, filter, ignoreElements, mergeMap, type Observable } from 'rxjs'
import { createLedger, lags } from '../alignment/index.js'
import { initParams, saveCheckpoint } from '../models/index.js'
import type { TokenSequence } from '../models/types.js'
import { type ActorContext, defineActor, port } from '../runtime/kernel/actor.js'
import { assert } from '../runtime/kernel/errors.js'
import { inOrder } from './in-order.js'
import { createLagBook } from './lag-book.js'
import { type LearnerConfig, learnerConfig } from './learner-config.js'
import type { DemonstrationBatch, JudgedBatch, ModelSnapshot } from './messages.js'
import { worldTokenizer } from './policy.js'
import { createPreference, type GroupOutcome } from './preference.js'
import { loadWorld } from './shared.js'
import { createSupervised } from './supervised.js'

/** Demonstrations kept for mixing into preference updates. */
const MIX_POOL = 4096

/**
 * Trains the policy: supervised on demonstrations (this makes M1), then DPO on judged groups, an iteration at a time.
 * A version is one update; what is published is read by every follower. Groups are consumed in the order of their ids.
 */
export const learner = defineActor({
  module: import.meta.url,
  role: 'learner',
  inputs: { demonstrations: port<DemonstrationBatch>(), judged: port<JudgedBatch>() },
  outputs: { snapshots: port<ModelSnapshot>() },
  config: learnerConfig,
  async start(context) {
    const training = await createTraining(context)
    const { turn } = context
    return {
      streams: ({ demonstrations, judged }) => ({
        snapshots: concat(
          demonstrations.pipe(turn(training.supervise, { name: 'sft' }), ignoreElements()),
          defer(() => turn.run('publish', training.finishSupervised)),
          judged.pipe(
            inOrder((batch) => batch.id),
            untilUpdate(),
            turn(training.update, { name: 'dpo', attributes: ([first]) => ({ update: first?.update ?? -1 }) }),
            filter((snapshot): snapshot is ModelSnapshot => snapshot !== undefined),
          ),
        ),
      }),
      api: { accounts: training.accounts },
      stop: training.dispose,
    }
  },
})

/** Gathers batches until the one that ends an update. */
function untilUpdate() {
  return (batches: Observable<JudgedBatch>) =>
    defer(() => {
      let held: JudgedBatch[] = []
      return batches.pipe(
        mergeMap((batch) => {
          held.push(batch)
          if (!batch.lastOfUpdate) return []
          const whole = held
          held = []
          return [whole]
        }),
      )
    })
}

async function createTraining(context: ActorContext<LearnerConfig>) {
  const { config, random, weights, metric, progress, record, log } = context
  const world = await loadWorld(config.world)
  const tokenizer = worldTokenizer(world)
  const params = initParams(config.model, random.stream('init'))
  const supervised = createSupervised(config, params, tokenizer, random)
  let preference: ReturnType<typeof createPreference> | undefined
  const pool: TokenSequence[] = []
  const ledger = createLedger()
  const lagBook = createLagBook()
  const trained = { sftTokens: 0, dpoTokens: 0, examples: 0 }
  let version = 0
  let published = -1
  let iteration = -1
  let pairs = 0
  let ties = 0

  function publish(): void {
    if (published === version) return
    weights.publish(version, params)
    published = version
    metric('learner/published', published)
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
    await supervised.dispose()
    preference = createPreference(config, params, tokenizer, world)
    publish()
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
    return { name, version, params: params.slice(), pairs, droppedTies: ties }
  }

  /** The part of the samples' life that ends here: counted, dated, and written down. */
  function account({ group, choice }: GroupOutcome, batch: JudgedBatch): void {
    ledger.issue(group.promptId)
    const lag = lags({
      learnerVersion: version,
      publishedVersion: published,
      span: group.version,
      judge: group.judgeVersion,
    })
    const bound = config.staleness
    assert(bound === 'iteration' || lag.lag <= bound, `a sample of lag ${lag.lag} passed the bound ${bound}`)
    if ('dropped' in choice) {
      ledger.drop(group.promptId, choice.dropped)
      if (choice.dropped === 'tie') ties++
    } else {
      ledger.consume(group.promptId)
      lagBook.add(lag)
      pairs++
    }
    record('sample', {
      iteration: batch.iteration,
      update: batch.update,
      id: group.promptId,
      prompt: group.prompt,
      completions: group.completions.map(({ text, finish }, i) => ({ text, finish, ...group.judgments[i] })),
      ...choice,
      version: group.version,
      judgeVersion: group.judgeVersion,
      lag: lag.lag,
      judgeLag: lag.judgeLag,
    })
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
      pairs = 0
      ties = 0
      preference.begin(iteration)
    }
    const { choose } = preference
    const outcomes = batches.flatMap((batch) =>
      batch.groups.map((group) => {
        const outcome = choose(group)
        account(outcome, batch)
        return outcome
      }),
    )
    const result = await preference.update(outcomes, mixed())
    version++
    if (result) {
      trained.dpoTokens += result.tokens
      metric('learner/loss', result.loss, { iteration })
      metric('learner/reward_margin', result.margin, { iteration })
      metric('learner/reward_accuracy', result.accuracy, { iteration })
      metric('learner/grad_norm', result.gradNorm, { iteration })
      metric('learner/pairs', result.pairs, { iteration })
    }
    metric('learner/version', version)
    metric('staleness/lag', lagBook.summary().lag.mean)
    progress(
      `dpo ${iteration + 1}`,
      ledger.counts().issued,
      config.iterations.reduce((a, b) => a + b, 0),
      'prompts',
    )
    const due = config.publishEvery === 'iteration' ? false : version - published >= config.publishEvery
    if (due || last.lastOfIteration) publish()
    return last.lastOfIteration ? snapshot(`M${iteration + 2}`) : undefined
  }

  return {
    supervise,
    finishSupervised,
    update,
    accounts: () => ({ version, published, samples: ledger.counts(), staleness: lagBook.summary(), trained }),
    dispose: async () => {
      await supervised.dispose()
      await preference?.dispose()
    },
  }
}
