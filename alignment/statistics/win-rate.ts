import { meanOf } from './agreement.js'
import { type Interval, meanInterval, pairedInterval } from './intervals.js'

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
  const { mean, low, high } = meanInterval(rates)
  return { mean, low: Math.max(0, low), high: Math.min(1, high), ...counts }
}

/**
 * Mean of ours − theirs, pair by pair, with its 95 % t interval; pairs in which a side is null are left out. Values are in
 * [0, 1], so the interval is cut to [−1, 1]. With one pair it is all of that; with none all figures are NaN.
 */
export function pairedDifference(ours: readonly (number | null)[], theirs: readonly (number | null)[]): Interval {
  const { mean, low, high } = pairedInterval(ours, theirs)
  return { mean, low: Math.max(-1, low), high: Math.min(1, high) }
}
