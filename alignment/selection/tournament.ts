import type { ChosenPair } from './pair-rules.js'
import { type Opinion, verdictOf } from './verdict.js'

/** Two candidates that are to be compared, by their indices. */
export type Match = readonly [number, number]

export interface TournamentResult {
  readonly winner: number
  /** One of each match that had a winner. */
  readonly pairs: readonly ChosenPair[]
}

/**
 * A knock-out tournament of m candidates by a pairwise ranker (SLiC-HF, Zhao et al. 2023, arXiv:2305.10425): m − 1
 * comparisons and up to m − 1 pairs. Neighbours meet; of an odd number the last goes on unplayed. After a tie or an invalid
 * opinion the first of the two goes on, and there is no pair of it.
 *
 * It yields one round of matches at a time, and wants an opinion of each in return, so that a round may be asked at once.
 *
 * @param candidates m ≥ 1
 *
 * @example
 * const play = tournament(8)
 * let round = play.next()
 * while (!round.done) round = play.next(await Promise.all(round.value.map(([a, b]) => ask(a, b))))
 * const { winner, pairs } = round.value
 */
export function* tournament(candidates: number): Generator<readonly Match[], TournamentResult, readonly Opinion[]> {
  if (!(candidates >= 1)) throw new RangeError('a tournament needs a candidate')
  let alive = Array.from({ length: candidates }, (_, i) => i)
  const pairs: ChosenPair[] = []
  while (alive.length > 1) {
    const matches = Array.from(
      { length: Math.floor(alive.length / 2) },
      (_, i) => [alive[2 * i] as number, alive[2 * i + 1] as number] as const,
    )
    const opinions = yield matches
    const through = matches.map(([a, b], i) => {
      const verdict = verdictOf(opinions[i] ?? 'invalid')
      if (verdict === 'first') pairs.push({ chosen: a, rejected: b })
      if (verdict === 'second') pairs.push({ chosen: b, rejected: a })
      return verdict === 'second' ? b : a
    })
    alive = [...through, ...alive.slice(2 * matches.length)]
  }
  return { winner: alive[0] as number, pairs }
}
