/** The pair of a group to train on, as indices into its candidates, or why there is none. */
export type PairChoice =
  | { readonly chosen: number; readonly rejected: number }
  | { readonly dropped: 'tie' | 'unreadable' }

/**
 * Best against worst (Xu et al. 2023; Self-Rewarding, Yuan et al. 2024, §2.4). Among several best or several worst the
 * first index is taken, so the choice depends on the scores alone.
 *
 * A group with fewer than two readable scores is dropped as `unreadable`; one whose best is not above its worst, or is
 * above by less than `minGap` points, as a `tie`.
 *
 * @param scores one a candidate; undefined is an unreadable verdict, and is never taken for 0
 * @param options.minGap least difference between best and worst, in points. Default 0
 */
export function selectPair(
  scores: readonly (number | undefined)[],
  { minGap = 0 }: { readonly minGap?: number } = {},
): PairChoice {
  let readable = 0
  let chosen = -1
  let rejected = -1
  scores.forEach((score, i) => {
    if (score === undefined || Number.isNaN(score)) return
    readable++
    if (chosen < 0 || score > (scores[chosen] as number)) chosen = i
    if (rejected < 0 || score < (scores[rejected] as number)) rejected = i
  })
  if (readable < 2) return { dropped: 'unreadable' }
  const gap = (scores[chosen] as number) - (scores[rejected] as number)
  return gap <= 0 || gap < minGap ? { dropped: 'tie' } : { chosen, rejected }
}

/** Mean of the readable verdicts (Self-Rewarding averages 3); undefined when there is none. */
export function meanVerdict(scores: readonly number[]): number | undefined {
  return scores.length === 0 ? undefined : scores.reduce((sum, score) => sum + score, 0) / scores.length
}
