import { type Battle, battleMatrix, eloRatings } from './elo.js'
import type { ChosenPair } from './pair-rules.js'
import type { PairChoice } from './pairs.js'

/**
 * Meta-Rewarding's pair with length control (Wu et al. 2024, arXiv:2407.19594): among answers whose scores are near
 * the best the shortest is chosen, among those near the worst the longest is rejected.
 *
 *     chosen:    S in [(1 − ρ)·S_max + ρ·S_min, S_max], the shortest
 *     rejected:  S in [S_min, (1 − ρ)·S_min + ρ·S_max], the longest
 *
 * ρ = 0 is best against worst, with length for ties. Dropped as a tie where all scores are equal or the tiers' choices are
 * not in order (possible from ρ = ½ on).
 *
 * @param scores undefined is unreadable
 * @param lengths in any unit
 * @param rho ρ in [0, 1); the paper's are 0, 0.32, 0.32, 0.4 for its four iterations
 */
export function lengthTierPair(
  scores: readonly (number | undefined)[],
  lengths: readonly number[],
  rho: number,
): PairChoice {
  const readable = scores.flatMap((score, i) => (score === undefined || Number.isNaN(score) ? [] : [{ score, i }]))
  if (readable.length < 2) return { dropped: 'unreadable' }
  const greatest = Math.max(...readable.map(({ score }) => score))
  const least = Math.min(...readable.map(({ score }) => score))
  const width = rho * (greatest - least)
  const lengthOf = ({ i }: { readonly i: number }) => lengths[i] as number
  const upper = readable.filter(({ score }) => score >= greatest - width)
  const lower = readable.filter(({ score }) => score <= least + width)
  const chosen = upper.reduce((best, item) => (lengthOf(item) < lengthOf(best) ? item : best))
  const rejected = lower.reduce((best, item) => (lengthOf(item) > lengthOf(best) ? item : best))
  return chosen.score > rejected.score ? { chosen: chosen.i, rejected: rejected.i } : { dropped: 'tie' }
}

/** Index of the answer whose verdicts differ most (greatest variance), the first of several; undefined where none has two. */
export function mostDisputed(verdicts: readonly (readonly number[])[]): number | undefined {
  let best: { readonly i: number; readonly spread: number } | undefined
  verdicts.forEach((scores, i) => {
    if (scores.length < 2) return
    const mean = scores.reduce((sum, score) => sum + score, 0) / scores.length
    const spread = scores.reduce((sum, score) => sum + (score - mean) ** 2, 0) / scores.length
    if (!best || spread > best.spread) best = { i, spread }
  })
  return best?.i
}

/** Ratings that differ by less are equal: a win of the least weight moves them by far more. */
const SAME_RATING = 1e-6

/**
 * Meta-Rewarding's pair of judgments of one answer: the one with the greatest rating by the meta-judge's battles
 * ({@link battleMatrix}, {@link eloRatings}) against the one with the least. A `tie` where no two ratings differ, `long`
 * where the chosen one is longer than `maxLength`.
 *
 * @param lengths of the judgments, in any unit
 */
export function judgmentPair(
  battles: readonly Battle[],
  lengths: readonly number[],
  maxLength: number,
): ChosenPair | { readonly dropped: 'tie' | 'long' } {
  const ratings = eloRatings(battleMatrix(battles, lengths.length))
  const [chosen, rejected] = [ratings.indexOf(Math.max(...ratings)), ratings.indexOf(Math.min(...ratings))]
  const lead = (ratings[chosen] ?? 0) - (ratings[rejected] ?? 0)
  if (lead < SAME_RATING) return { dropped: 'tie' }
  return (lengths[chosen] as number) > maxLength ? { dropped: 'long' } : { chosen, rejected }
}
