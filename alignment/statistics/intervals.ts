import { quantileSorted, sampleWithReplacement } from 'simple-statistics'
import type { Random } from '../../runtime/time/index.js'
import { meanOf } from './agreement.js'
import { studentQuantile } from './student.js'

export interface Interval {
  readonly mean: number
  readonly low: number
  readonly high: number
}

/**
 * Mean and its 95 % interval over independent values (seeds, prompts): mean ± t(0.975, n − 1)·s/√n. One value says nothing of
 * the spread: its interval is infinite. Of nothing all three are NaN.
 */
export function meanInterval(values: readonly number[]): Interval {
  const mean = meanOf(values)
  if (values.length === 0) return { mean, low: Number.NaN, high: Number.NaN }
  if (values.length === 1) return { mean, low: -Infinity, high: Infinity }
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1)
  const half = studentQuantile(values.length - 1) * Math.sqrt(variance / values.length)
  return { mean, low: mean - half, high: mean + half }
}

/**
 * Mean of ours − theirs with its 95 % t interval, seed by seed (or prompt by prompt): what both share falls out. Pairs in
 * which a side is null are left out.
 */
export function pairedInterval(ours: readonly (number | null)[], theirs: readonly (number | null)[]): Interval {
  return meanInterval(differencesOf(ours, theirs))
}

export interface BootstrapOptions {
  /** Default 10 000. */
  readonly resamples?: number
  /** Share of resamples inside the interval. Default 0.95. */
  readonly level?: number
}

/**
 * The same by bootstrap (Efron 1979), percentile method: pairs are drawn with replacement, and the interval holds the middle
 * of the means. For many values of any distribution; of a few (seeds) the t interval is the honest one.
 */
export function pairedBootstrap(
  ours: readonly (number | null)[],
  theirs: readonly (number | null)[],
  random: Random,
  { resamples = 10_000, level = 0.95 }: BootstrapOptions = {},
): Interval {
  const differences = differencesOf(ours, theirs)
  if (differences.length === 0) return meanInterval(differences)
  const draw = () => random.float()
  const means = Array.from({ length: resamples }, () =>
    meanOf(sampleWithReplacement(differences, differences.length, draw)),
  ).sort((a, b) => a - b)
  const tail = (1 - level) / 2
  return { mean: meanOf(differences), low: quantileSorted(means, tail), high: quantileSorted(means, 1 - tail) }
}

function differencesOf(ours: readonly (number | null)[], theirs: readonly (number | null)[]): number[] {
  return ours.flatMap((a, i) => {
    const b = theirs[i] ?? null
    return a === null || b === null ? [] : [a - b]
  })
}
