import type { Evaluation } from '../actors/index.js'
import type { LagSummaries } from '../actors/lag-book.js'
import { assert } from '../runtime/kernel/errors.js'
import type { Books } from './books.js'
import { failuresOf } from './failures.js'
import type { RunOptions } from './scenario.js'
import { type Summary, summarySchema } from './summary.js'

export interface Findings {
  readonly scenario: string
  readonly options: RunOptions<{ readonly [key: string]: unknown }>
  readonly durationMs: number
  readonly accounts: {
    readonly samples: { readonly consumed: number; readonly dropped: Readonly<Record<string, number>> }
    readonly staleness: LagSummaries
    readonly trained: { readonly sftTokens: number; readonly tokens: number }
  }
  readonly evaluations: readonly Evaluation[]
  readonly sampled: readonly { readonly issued: number; readonly tokens: number }[]
  readonly judged: readonly { readonly judged: number }[]
  readonly books: Books
}

/** Brings what the roles found into the form of `summary.json`; rates are over each role's own busy time. */
export function summarize(findings: Findings): Summary {
  const { scenario, options, durationMs, accounts, evaluations, sampled, judged, books } = findings
  const { usage, book } = books
  const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0)
  const perSecond = (count: number, ...roles: readonly string[]) =>
    count / Math.max(1e-3, sum(roles.map((role) => usage.busyMs(role))) / 1000)
  const issued = sum(sampled.map((s) => s.issued))
  const { consumed, dropped } = accounts.samples
  const inFlight = issued - consumed - sum(Object.values(dropped))
  assert(inFlight === 0, `samples issued ${issued} = consumed ${consumed} + dropped + in flight ${inFlight} at the end`)
  return summarySchema.parse({
    scenario,
    seed: options.seed,
    stage: options.stage,
    backend: options.backend,
    durationMs,
    config: options.config,
    iterations: evaluations.map((e) => ({
      name: e.name,
      goldWinRate: e.againstFirst && { ...e.againstFirst, against: 'M1' },
      goldScore: e.goldScore,
      judge: {
        pairAccuracy: e.judge.pairAccuracy,
        exactMatch: e.judge.exactMatch,
        fiveBest: e.judge.fiveBest,
        spearman: e.judge.spearman,
        kendall: e.judge.kendall,
      },
      meanLength: e.meanLength,
      kl: e.kl,
      pairs: e.pairs,
      droppedTies: e.droppedTies,
    })),
    failures: failuresOf(book),
    staleness: accounts.staleness,
    samples: { issued, consumed, dropped, inFlight },
    throughput: {
      sampledTokensPerSecond: perSecond(sum(sampled.map((s) => s.tokens)), 'sampler'),
      trainedTokensPerSecond: perSecond(accounts.trained.sftTokens + accounts.trained.tokens, 'learner'),
      judgedPerSecond: perSecond(sum(judged.map((j) => j.judged)), 'judge', 'annotator', 'reward-model'),
      busy: usage.fractions(durationMs),
    },
  } satisfies Summary)
}
