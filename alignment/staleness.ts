/** Versions read before a work began and after it ended. */
export interface Span {
  readonly start: number
  readonly end: number
}

/** Lags of one sample at the moment of its use, in learner versions. `lag` = `inFlight` + `inQueue`. */
export interface Lags {
  /** Learner version now − version that began it. */
  readonly lag: number
  /** Version when generation ended − version when it began. */
  readonly inFlight: number
  /** Learner version now − version when generation ended. */
  readonly inQueue: number
  /** Learner version now − version last published. */
  readonly publish: number
  /** Learner version now − version that judged. */
  readonly judgeLag: number
}

/**
 * The lowest version that may write samples for an update: the staleness bound.
 * @param update the learner's update that will use them, counted over the run; it begins at version `update`
 * @param iterationStart the update with which its iteration begins
 * @param max greatest lag in versions; 0 is synchronous, `'iteration'` lets all of an iteration come from its first model
 */
export function minVersionOf(update: number, iterationStart: number, max: number | 'iteration'): number {
  return max === 'iteration' ? iterationStart : Math.max(0, update - max)
}

/** The lags of a sample that is used now. */
export function lags(sample: {
  readonly learnerVersion: number
  readonly publishedVersion: number
  readonly span: Span
  readonly judge: Span
}): Lags {
  const { learnerVersion, publishedVersion, span, judge } = sample
  return {
    lag: learnerVersion - span.start,
    inFlight: span.end - span.start,
    inQueue: learnerVersion - span.end,
    publish: learnerVersion - publishedVersion,
    judgeLag: learnerVersion - judge.start,
  }
}

export interface LagSummary {
  readonly mean: number
  readonly max: number
  /** Lag → how many samples had it, by ascending lag. */
  readonly histogram: Record<string, number>
}

/** Mean, greatest and distribution of lags that were counted by value; all zero of nothing. */
export function summarizeLags(counts: ReadonlyMap<number, number>): LagSummary {
  const sorted = [...counts].sort(([a], [b]) => a - b)
  const total = sorted.reduce((sum, [, count]) => sum + count, 0)
  return {
    mean: total === 0 ? 0 : sorted.reduce((sum, [lag, count]) => sum + lag * count, 0) / total,
    max: sorted.at(-1)?.[0] ?? 0,
    histogram: Object.fromEntries(sorted.map(([lag, count]) => [String(lag), count])),
  }
}

/** {@link summarizeLags} of plain values. */
export function lagHistogram(values: Iterable<number>): LagSummary {
  const counts = new Map<number, number>()
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1)
  return summarizeLags(counts)
}
