import { type Opinion, type Verdict, verdictOf } from '../selection/verdict.js'
import { meanOf } from './agreement.js'

export interface RaterAgreement {
  /** Fraction of comparisons with the same verdict. */
  readonly agreement: number
  /** Cohen's κ (1960): agreement beyond what their rates of verdicts give by chance. NaN where chance is certain. */
  readonly kappa: number
  /** Comparisons that both read. */
  readonly count: number
}

/**
 * How far two raters agree on the same comparisons (an annotator with gold, two judges with each other). Comparisons that
 * either could not read are left out; ties are verdicts.
 *
 *     κ = (p_o − p_e)/(1 − p_e),   p_e = Σ_v P_1(v)·P_2(v)
 */
export function raterAgreement(one: readonly Opinion[], other: readonly Opinion[]): RaterAgreement {
  const both = one.flatMap((opinion, i) => {
    const [a, b] = [verdictOf(opinion), verdictOf(other[i] ?? 'invalid')]
    return a === 'invalid' || b === 'invalid' ? [] : [[a, b] as const]
  })
  const share = (side: 0 | 1, verdict: Verdict) => meanOf(both.map((pair) => Number(pair[side] === verdict)))
  const agreement = meanOf(both.map(([a, b]) => Number(a === b)))
  const chance = (['first', 'second', 'tie'] as const).reduce((sum, v) => sum + share(0, v) * share(1, v), 0)
  return { agreement, kappa: (agreement - chance) / (1 - chance), count: both.length }
}
