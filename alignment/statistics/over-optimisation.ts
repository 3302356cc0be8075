/** How a gold score depends on d = √KL(π ‖ ref), in nats^½ (Gao et al. 2023, arXiv:2210.10760), 0 at d = 0. */
export interface OverOptimisationFit {
  readonly alpha: number
  readonly beta: number
  /** The d at which the fitted score is greatest; Infinity where it never falls. */
  readonly peak: number
  /** Share of the scores' square sum that the fit explains: 1 is perfect. */
  readonly explained: number
}

/** Best of n: R(d) = d(α − βd), greatest at α/2β, by least squares. NaN where fewer than two different d > 0 are given. */
export function fitBestOfN(distances: readonly number[], scores: readonly number[]): OverOptimisationFit {
  const { alpha, beta, explained } = leastSquares(distances, scores, (d) => -d * d)
  return { alpha, beta, explained, peak: beta > 0 ? alpha / (2 * beta) : Infinity }
}

/** Reinforcement learning: R(d) = d(α − β log d), greatest at e^(α/β − 1), by least squares. */
export function fitReinforcement(distances: readonly number[], scores: readonly number[]): OverOptimisationFit {
  const { alpha, beta, explained } = leastSquares(distances, scores, (d) => (d > 0 ? -d * Math.log(d) : 0))
  return { alpha, beta, explained, peak: beta > 0 ? Math.exp(alpha / beta - 1) : Infinity }
}

/** α and β of the least Σ (R − α·d − β·g(d))², by the normal equations. */
function leastSquares(distances: readonly number[], scores: readonly number[], bend: (d: number) => number) {
  const sum = (term: (d: number, score: number) => number) =>
    distances.reduce((total, d, i) => total + term(d, scores[i] as number), 0)
  const [dd, dg, gg] = [sum((d) => d * d), sum((d) => d * bend(d)), sum((d) => bend(d) ** 2)]
  const [dr, gr] = [sum((d, score) => d * score), sum((d, score) => bend(d) * score)]
  const determinant = dd * gg - dg * dg
  const isSingular = !(determinant > 1e-12 * dd * gg)
  const alpha = isSingular ? Number.NaN : (dr * gg - gr * dg) / determinant
  const beta = isSingular ? Number.NaN : (gr * dd - dr * dg) / determinant
  const residual = sum((d, score) => (score - alpha * d - beta * bend(d)) ** 2)
  return { alpha, beta, explained: 1 - residual / sum((_, score) => score * score) }
}
