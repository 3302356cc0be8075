import { meanOf } from './agreement.js'

export interface WinRate {
  /** Wins plus half the ties, as a fraction; the mean over prompts. */
  readonly mean: number
  /** 95 % interval over prompts. */
  readonly low: number
  readonly high: number
  /** Comparisons, over all prompts. */
  readonly wins: number
  readonly ties: number
  readonly losses: number
}

/** 97.5th percentile of the standard normal distribution. */
const Z = 1.959963984540054

/**
 * How often ours beats theirs. Every sample of ours to a prompt is compared with every sample of theirs to the same
 * prompt; a prompt's rate is its mean, ties half. Samples of one prompt are alike, so prompts, not samples, are the unit
 * of the interval: mean ± t(0.975, n − 1)·s/√n over the n prompts that both answered, cut to [0, 1].
 * With one prompt the interval is [0, 1]; with none all figures are NaN.
 *
 * @param ours [prompts][samples] scores
 * @param theirs [prompts][samples] scores; numbers of samples may differ
 */
export function winRate(ours: readonly (readonly number[])[], theirs: readonly (readonly number[])[]): WinRate {
  const counts = { wins: 0, ties: 0, losses: 0 }
  const rates: number[] = []
  ours.forEach((mine, prompt) => {
    const outcomes = mine.flatMap((a) => (theirs[prompt] ?? []).map((b) => Math.sign(a - b)))
    if (outcomes.length === 0) return
    for (const outcome of outcomes) counts[outcome > 0 ? 'wins' : outcome < 0 ? 'losses' : 'ties']++
    rates.push(meanOf(outcomes.map((outcome) => (outcome + 1) / 2)))
  })
  return { ...interval(rates), ...counts }
}

export interface Interval {
  readonly mean: number
  readonly low: number
  readonly high: number
}

/**
 * Mean of ours − theirs, pair by pair, with its 95 % t interval; pairs in which a side is null are left out. Values are in
 * [0, 1], so the interval is cut to [−1, 1]. With one pair it is all of that; with none all figures are NaN.
 */
export function pairedDifference(ours: readonly (number | null)[], theirs: readonly (number | null)[]): Interval {
  const differences = ours.flatMap((a, i) => {
    const b = theirs[i] ?? null
    return a === null || b === null ? [] : [a - b]
  })
  return interval(differences, -1)
}

function interval(values: readonly number[], least = 0): Interval {
  const mean = meanOf(values)
  if (values.length < 2)
    return { mean, low: values.length === 0 ? Number.NaN : least, high: values.length === 0 ? Number.NaN : 1 }
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1)
  const half = studentQuantile(values.length - 1) * Math.sqrt(variance / values.length)
  return { mean, low: Math.max(least, mean - half), high: Math.min(1, mean + half) }
}

/**
 * 97.5th percentile of Student's t. Exact for 1 and 2 degrees of freedom, else the Cornish–Fisher expansion
 * (Abramowitz & Stegun 26.7.5), within 0.5 % from 3 degrees on.
 */
export function studentQuantile(degrees: number): number {
  if (degrees === 1) return 12.706204736174694
  if (degrees === 2) return 4.302652729749462
  const n = degrees
  const z2 = Z * Z
  const g1 = (Z * (z2 + 1)) / 4
  const g2 = (Z * (5 * z2 * z2 + 16 * z2 + 3)) / 96
  const g3 = (Z * (3 * z2 ** 3 + 19 * z2 * z2 + 17 * z2 - 15)) / 384
  const g4 = (Z * (79 * z2 ** 4 + 776 * z2 ** 3 + 1482 * z2 * z2 - 1920 * z2 - 945)) / 92160
  return Z + g1 / n + g2 / n ** 2 + g3 / n ** 3 + g4 / n ** 4
}
