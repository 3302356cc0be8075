import { geometricMix, normalised } from './policy.js'

export interface NashMdOptions {
  /** τ: strength of the regularisation towards the reference. */
  readonly tau: number
  /** η: size of the step; ητ is the share of the reference in the mixture, and at most 1. */
  readonly eta: number
}

/**
 * One step of Nash-MD on a table (Munos et al. 2023, arXiv:2312.00886): mirror ascent against the mixture with μ.
 *
 *     π^μ ∝ π^(1−ητ)·μ^(ητ),    next ∝ π^μ·exp(η·P(y ≻ π^μ))
 *
 * With η = 2/(τ(t + 2)) at step t, after T steps KL(Nash ‖ π) ≤ 8/(τ²(T + 1)), where the Nash policy of the regularised game
 * is ∝ μ·exp(P(y ≻ π)/τ). With a constant η it settles where the policy answers the mixture, not itself, which is the
 * Nash policy only where μ is.
 *
 * @param preference [answers][answers]: P(row ≻ column)
 */
export function nashMdStep(
  policy: readonly number[],
  reference: readonly number[],
  preference: readonly (readonly number[])[],
  { tau, eta }: NashMdOptions,
): number[] {
  const opponent = geometricMix(policy, reference, eta * tau)
  const wins = preference.map((row) => row.reduce((sum, p, j) => sum + p * (opponent[j] as number), 0))
  return normalised(opponent.map((p, i) => p * Math.exp(eta * (wins[i] as number))))
}
