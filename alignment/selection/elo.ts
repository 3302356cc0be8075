import { type Opinion, verdictOf } from './verdict.js'

/** A meta-judge's opinion of two judgments of one answer, in the order in which they were shown. */
export interface Battle {
  readonly first: number
  readonly second: number
  readonly opinion: Opinion
}

/**
 * Battles as a matrix of weighted wins (Meta-Rewarding, Wu et al. 2024, arXiv:2407.19594): a win from the place that
 * wins less often counts for more,
 *
 *     w_first = wins_second/(wins_first + wins_second),   w_second = wins_first/(wins_first + wins_second)
 *
 * so that a meta-judge that always takes the first has said nothing. Ties and invalid opinions give nothing.
 *
 * @returns [players][players]: the row's wins over the column
 */
export function battleMatrix(battles: readonly Battle[], players: number): number[][] {
  const verdicts = battles.map(({ opinion }) => verdictOf(opinion))
  const wins = (side: 'first' | 'second') => verdicts.filter((verdict) => verdict === side).length
  const [firsts, seconds] = [wins('first'), wins('second')]
  const weight = { first: seconds / (firsts + seconds), second: firsts / (firsts + seconds) }
  const matrix = Array.from({ length: players }, () => new Array<number>(players).fill(0))
  battles.forEach(({ first, second }, i) => {
    const verdict = verdicts[i]
    if (verdict !== 'first' && verdict !== 'second') return
    const [winner, loser] = verdict === 'first' ? [first, second] : [second, first]
    const row = matrix[winner] as number[]
    row[loser] = (row[loser] as number) + weight[verdict]
  })
  return matrix
}

export interface EloOptions {
  /** Wins that each is given over each other, so that one who never lost has a finite rating. Default 0.01. */
  readonly prior?: number
  /** Most iterations. Default 10 000; they stop earlier where ratings move by less than 1e-12. */
  readonly maxIterations?: number
}

/**
 * Ratings ε of greatest likelihood, P(m beats n) = σ(ε_m − ε_n) (Bradley & Terry 1952), by the MM algorithm (Hunter 2004):
 * natural logarithms, mean 0; times 400/ln 10 they are Elo points. A player with neither wins nor losses gets 0.
 *
 * @param wins [players][players], not necessarily whole: the row's wins over the column
 */
export function eloRatings(
  wins: readonly (readonly number[])[],
  { prior = 0.01, maxIterations = 10_000 }: EloOptions = {},
): number[] {
  const players = wins.length
  const won = (m: number, n: number) => (m === n ? 0 : (wins[m]?.[n] ?? 0) + prior)
  const everyone = Array.from({ length: players }, (_, i) => i)
  const totals = everyone.map((m) => everyone.reduce((sum, n) => sum + won(m, n), 0))
  let strengths = everyone.map(() => 1)
  for (let iteration = 0; iteration < maxIterations; iteration++) {
    const next = everyone.map((m) => {
      const games = everyone.reduce((sum, n) => {
        const played = won(m, n) + won(n, m)
        return played > 0 ? sum + played / ((strengths[m] as number) + (strengths[n] as number)) : sum
      }, 0)
      return games > 0 ? Math.max(Number.MIN_VALUE, (totals[m] as number) / games) : 1
    })
    const scale = Math.exp(next.reduce((sum, x) => sum + Math.log(x), 0) / players)
    const normalised = next.map((x) => x / scale)
    const moved = Math.max(...normalised.map((x, i) => Math.abs(Math.log(x / (strengths[i] as number)))))
    strengths = normalised
    if (moved < 1e-12) break
  }
  return strengths.map(Math.log)
}
