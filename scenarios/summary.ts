import { z } from 'zod'

const number = z.number()
const interval = z.strictObject({ mean: number, low: number, high: number })
/** Distribution of a lag, in learner versions. `histogram` maps the lag to how many samples had it. */
const lag = z.strictObject({ mean: number, max: number, histogram: z.record(z.string(), z.int()) })

/** The stable form of `summary.json`. Rates are in [0, 1], durations in milliseconds, lengths in tokens. */
export const summarySchema = z.strictObject({
  scenario: z.string(),
  seed: z.int(),
  stage: z.enum(['inline', 'threads', 'virtual']),
  backend: z.string(),
  durationMs: number,
  /** Of a virtual run: the hash of `events.jsonl`. Two runs with the same did the same, event by event. */
  traceHash: z.string().optional(),
  config: z.record(z.string(), z.unknown()),
  iterations: z.array(
    z.strictObject({
      name: z.string(),
      /** Ties count half; 95 % interval; against the named model. Null where nobody scores. */
      goldWinRate: interval.extend({ wins: z.int(), ties: z.int(), losses: z.int(), against: z.string() }).nullable(),
      /** Null where there is no gold scorer, as for one's own data. */
      goldScore: number.nullable(),
      /** Agreement with the gold order on the fixed held-out judge set; a figure that is undefined there is null. */
      judge: z.strictObject({
        pairAccuracy: number.nullable(),
        exactMatch: number.nullable(),
        fiveBest: number.nullable(),
        spearman: number.nullable(),
        kendall: number.nullable(),
      }),
      meanLength: number,
      /** Mean sequence KL to M1 in nats, estimated on the evaluator's samples. */
      kl: number,
      pairs: z.int(),
      droppedTies: z.int(),
    }),
  ),
  /** Actors that failed in the course of the run, and went on or were left behind; empty where none did. */
  failures: z.array(
    z.strictObject({
      actor: z.string(),
      failed: z.int(),
      restarts: z.int(),
      /** Messages that were not given to it any more. */
      setAside: z.int(),
      /** Of the last failure. */
      code: z.string(),
    }),
  ),
  staleness: z.strictObject({ lag, inFlight: lag, inQueue: lag, publish: lag, judgeLag: lag }),
  samples: z.strictObject({
    issued: z.int(),
    consumed: z.int(),
    dropped: z.record(z.string(), z.int()),
    inFlight: z.int(),
  }),
  throughput: z.strictObject({
    sampledTokensPerSecond: number,
    trainedTokensPerSecond: number,
    judgedPerSecond: number,
    /** Fraction of the run that each role spent in turns, averaged over its replicas. */
    busy: z.record(z.string(), number),
  }),
})

export type Summary = z.output<typeof summarySchema>
