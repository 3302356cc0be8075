import { sampleCorrelation } from 'simple-statistics'

/** Answers to one prompt as two sides scored them. An undefined `judged` is an unreadable verdict. */
export interface RankedScores {
  /** The order to agree with (gold points, or a human's). */
  readonly gold: readonly number[]
  readonly judged: readonly (number | undefined)[]
}

/**
 * Fraction of pairs of answers that the judge orders as gold does (Self-Rewarding §3.2, "pairwise accuracy"). Pairs
 * that gold ties are skipped; a judge's tie counts half, and so does a pair with an unreadable verdict, which says
 * nothing either: chance is 0.5. Null when gold orders no pair.
 */
export function pairAccuracy(groups: readonly RankedScores[]): number | null {
  let pairs = 0
  let right = 0
  for (const { gold, judged } of groups)
    for (const [i, j, order] of orderedPairs(gold)) {
      pairs++
      const difference = (judged[i] ?? Number.NaN) - (judged[j] ?? Number.NaN)
      right += difference * order > 0 ? 1 : difference * order < 0 ? 0 : 0.5
    }
  return pairs === 0 ? null : right / pairs
}

/** {@link pairAccuracy} of each group by itself, for comparisons prompt by prompt; null where gold orders no pair. */
export function pairAccuracies(groups: readonly RankedScores[]): (number | null)[] {
  return groups.map((group) => pairAccuracy([group]))
}

/**
 * Fraction of groups whose whole gold order the judge gives: every pair that gold orders, strictly the same way.
 * Groups that gold ties throughout are skipped; a judge's tie or an unreadable verdict in such a pair is a miss.
 * Null when no group is left.
 */
export function exactMatch(groups: readonly RankedScores[]): number | null {
  const matches = groups.flatMap(({ gold, judged }) => {
    const pairs = [...orderedPairs(gold)]
    if (pairs.length === 0) return []
    return [Number(pairs.every(([i, j, order]) => ((judged[i] ?? Number.NaN) - (judged[j] ?? Number.NaN)) * order > 0))]
  })
  return matches.length === 0 ? null : meanOf(matches)
}

/**
 * Of the answers that the judge gives the full score, the fraction that are gold's best of their group (ties for best
 * included). Null when the judge gives none.
 * @param full default 5: with several verdicts averaged, all of them gave 5
 */
export function fiveBest(groups: readonly RankedScores[], full = 5): number | null {
  const best = groups.flatMap(({ gold, judged }) => {
    const top = Math.max(...gold)
    return judged.flatMap((score, i) => (score !== undefined && score >= full ? [Number(gold[i] === top)] : []))
  })
  return best.length === 0 ? null : meanOf(best)
}

/** Mean of {@link spearmanRho} over groups; see {@link meanCoefficient} for ties and unreadable verdicts. */
export function spearman(groups: readonly RankedScores[]): number | null {
  return meanCoefficient(groups, spearmanRho)
}

/** Mean of {@link kendallTau} over groups; see {@link meanCoefficient} for ties and unreadable verdicts. */
export function kendall(groups: readonly RankedScores[]): number | null {
  return meanCoefficient(groups, kendallTau)
}

/**
 * Groups whose readable answers gold ties throughout (or that have fewer than two) are skipped; a judge that ties all of
 * a group that gold orders gets 0 for it. Unreadable answers are left out of their group. Null when no group is left.
 */
function meanCoefficient(
  groups: readonly RankedScores[],
  coefficient: (a: readonly number[], b: readonly number[]) => number | undefined,
): number | null {
  const values = groups.flatMap(({ gold, judged }) => {
    const read = gold.flatMap((points, i) => (judged[i] === undefined ? [] : [[points, judged[i]] as const]))
    if (new Set(read.map(([points]) => points)).size < 2) return []
    return [
      coefficient(
        read.map(([points]) => points),
        read.map(([, score]) => score),
      ) ?? 0,
    ]
  })
  return values.length === 0 ? null : meanOf(values)
}

/** Spearman's ρ: Pearson's correlation of ranks, ties sharing their mean rank. Undefined when either side is constant. */
export function spearmanRho(a: readonly number[], b: readonly number[]): number | undefined {
  if (isConstant(a) || isConstant(b)) return undefined
  return sampleCorrelation(meanRanks(a), meanRanks(b))
}

/** Kendall's τ-b, corrected for ties. Undefined when either side is constant. */
export function kendallTau(a: readonly number[], b: readonly number[]): number | undefined {
  if (isConstant(a) || isConstant(b)) return undefined
  let agree = 0
  let untiedA = 0
  let untiedB = 0
  for (let i = 0; i < a.length; i++)
    for (let j = i + 1; j < a.length; j++) {
      const [da, db] = [Math.sign((a[i] as number) - (a[j] as number)), Math.sign((b[i] as number) - (b[j] as number))]
      agree += da * db
      untiedA += Math.abs(da)
      untiedB += Math.abs(db)
    }
  return agree / Math.sqrt(untiedA * untiedB)
}

/** Arithmetic mean; NaN of nothing. */
export function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

/** Pairs i < j that are not tied, with the sign of first − second. */
function* orderedPairs(scores: readonly number[]): Generator<readonly [number, number, number]> {
  for (let i = 0; i < scores.length; i++)
    for (let j = i + 1; j < scores.length; j++) {
      const order = Math.sign((scores[i] as number) - (scores[j] as number))
      if (order !== 0) yield [i, j, order]
    }
}

const isConstant = (values: readonly number[]) => values.every((value) => value === values[0])

function meanRanks(values: readonly number[]): number[] {
  return values.map((value) => {
    const below = values.filter((other) => other < value).length
    const equal = values.filter((other) => other === value).length
    return below + (equal + 1) / 2
  })
}
