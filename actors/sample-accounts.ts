import { createLedger, type Lags, lags } from '../alignment/index.js'
import type { ActorContext } from '../runtime/kernel/actor.js'
import { assert } from '../runtime/kernel/errors.js'
import { createLagBook } from './lag-book.js'
import type { LearnerConfig } from './learner-config.js'
import type { LearnerState } from './learner-state.js'
import type { JudgedBatch, JudgePair } from './messages.js'
import type { GroupOutcome } from './selection.js'

/** Where the samples' lives end: each is counted, dated and written down; the staleness bound is asserted on each. */
export function createSampleAccounts({
  config,
  clock,
  record,
  metric,
}: Pick<ActorContext<LearnerConfig>, 'config' | 'clock' | 'record' | 'metric'>) {
  const ledger = createLedger()
  const lagBook = createLagBook()
  let lagsOfUpdate = createLagBook()
  const queued = { sumMs: 0, count: 0 }
  let pairs = 0
  let ties = 0

  function addLags(lag: Lags): void {
    lagBook.add(lag)
    lagsOfUpdate.add(lag)
  }

  return {
    /** Counts pairs and ties afresh. */
    beginIteration(): void {
      pairs = 0
      ties = 0
    },
    iteration: () => ({ pairs, droppedTies: ties }),
    counts: () => ledger.counts(),
    snapshot: () => ({ ledger: ledger.snapshot(), lags: lagBook.snapshot(), pairs, droppedTies: ties }),
    restore(state: LearnerState['samples']): void {
      ledger.restore(state.ledger)
      lagBook.restore(state.lags)
      pairs = state.pairs
      ties = state.droppedTies
    },
    staleness: () => lagBook.summary(),

    /** A batch has come in: its samples are in flight here until they are settled. */
    receive(batch: JudgedBatch): void {
      for (const { promptId } of batch.groups) ledger.issue(promptId)
      for (const promptId of batch.abandoned ?? []) ledger.issue(promptId)
    },

    /** What was given up on the way has come to its end. */
    abandon(batch: JudgedBatch): void {
      for (const promptId of batch.abandoned ?? []) ledger.drop(promptId, 'poison')
    },

    /** @param version the learner's, now, before the update @param published the last one published */
    settle({ group, selected }: GroupOutcome, batch: JudgedBatch, version: number, published: number): void {
      const lag = lags({
        learnerVersion: version,
        publishedVersion: published,
        span: group.version,
        judge: group.judgeVersion.start < 0 ? { start: version, end: version } : group.judgeVersion,
      })
      const isOwn = group.version.start >= 0
      const bound = config.staleness
      if (isOwn)
        assert(bound === 'iteration' || lag.lag <= bound, `a sample of lag ${lag.lag} passed the bound ${bound}`)
      if ('dropped' in selected) {
        ledger.drop(group.promptId, selected.dropped)
        if (selected.dropped === 'tie') ties++
      } else {
        ledger.consume(group.promptId)
        if (isOwn) addLags(lag)
        queued.sumMs += Math.max(0, clock.now() - batch.writtenAt)
        queued.count++
        pairs += 'pairs' in selected ? selected.pairs.length : selected.singles.length
      }
      record('sample', sampleLine({ group, selected }, batch, isOwn ? lag : undefined))
    },

    /** Reports the samples that were used since the last report, and where all went so far. */
    reportUpdate(): void {
      if (queued.count > 0) {
        const { lag, inFlight, inQueue, publish, judgeLag } = lagsOfUpdate.summary()
        metric('staleness/lag_mean', lag.mean)
        metric('staleness/lag_max', lag.max)
        metric('staleness/in_flight_mean', inFlight.mean)
        metric('staleness/in_queue_mean', inQueue.mean)
        metric('staleness/publish_mean', publish.mean)
        metric('staleness/judge_lag_mean', judgeLag.mean)
        metric('sample/time_in_queue_s', queued.sumMs / queued.count / 1000)
      }
      lagsOfUpdate = createLagBook()
      Object.assign(queued, { sumMs: 0, count: 0 })
      const { consumed, dropped } = ledger.counts()
      metric('samples/consumed', consumed)
      metric(
        'samples/dropped',
        Object.values(dropped).reduce((sum, count) => sum + count, 0),
      )
    },
  }
}

/** A line of `samples.jsonl`; completions that people wrote have no lag. */
function sampleLine({ group, selected }: GroupOutcome, batch: JudgedBatch, lag: Lags | undefined) {
  const first = 'pairs' in selected ? selected.pairs[0] : undefined
  const isOnePair = 'pairs' in selected && selected.pairs.length === 1
  return {
    iteration: batch.iteration,
    update: batch.update,
    id: group.promptId,
    prompt: group.prompt,
    completions: group.completions.map(({ text, finish, writer }, i) => ({
      text,
      finish,
      ...(writer ? { writer } : {}),
      ...group.judgments[i],
    })),
    ...(group.comparisons ? { comparisons: group.comparisons } : {}),
    ...(group.judgePairs ? { judgePairs: group.judgePairs.map(shownPair) } : {}),
    ...(isOnePair ? first : selected),
    version: group.version,
    judgeVersion: group.judgeVersion,
    ...(lag ? { lag: lag.lag, judgeLag: lag.judgeLag } : {}),
  }
}

const shownPair = ({ chosen, rejected }: JudgePair) => ({ chosen: chosen.text, rejected: rejected.text })
