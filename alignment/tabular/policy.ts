/*
 * Policies over a handful of answers, as lists of probabilities: what methods aim at can be had there in closed form.
 */

/** weights/Σ weights. */
export function normalised(weights: readonly number[]): number[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  return weights.map((weight) => weight / total)
}

/**
 * The policy that maximises E[r] − β·KL(π ‖ ref): π_r ∝ ref·exp(r/β). What DPO on complete Bradley–Terry data and RSO's
 * sampling aim at.
 */
export function optimalPolicy(reference: readonly number[], rewards: readonly number[], beta: number): number[] {
  const greatest = Math.max(...rewards)
  return normalised(reference.map((p, i) => p * Math.exp(((rewards[i] as number) - greatest) / beta)))
}

/** SPIN's ideal next iterate ∝ p·(data/p)^(1/λ) (Chen et al. 2024, arXiv:2401.01335); it stays where p is the data. */
export function spinStep(policy: readonly number[], data: readonly number[], lambda: number): number[] {
  return normalised(policy.map((p, i) => p * ((data[i] as number) / p) ** (1 / lambda)))
}

/** ∝ π^(1−b)·μ^b. */
export function geometricMix(policy: readonly number[], reference: readonly number[], mix: number): number[] {
  return normalised(policy.map((p, i) => p ** (1 - mix) * (reference[i] as number) ** mix))
}

/** KL(p ‖ q), in nats. */
export function klDivergence(p: readonly number[], q: readonly number[]): number {
  return p.reduce((sum, x, i) => (x > 0 ? sum + x * Math.log(x / (q[i] as number)) : sum), 0)
}
