import { meanOf } from './agreement.js'

/** One comparison of our answer with theirs to the same prompt. */
export interface Comparison {
  /** 1 won, ½ tied, 0 lost, or an annotator's probability that ours is better. */
  readonly win: number
  /** Length of ours − length of theirs. */
  readonly lengthDifference: number
}

export interface LengthControlled {
  /** Plain mean of `win`. */
  readonly raw: number
  /** What the win rate would be at equal lengths. */
  readonly controlled: number
  /** φ: log odds of a win for an answer that is much longer; 0 is no liking for length. */
  readonly lengthEffect: number
}

/** Ridge on both coefficients: keeps them finite where every comparison is won, and moves them little where not. */
const RIDGE = 1e-3

/**
 * Length-controlled win rate (Dubois et al. 2024, arXiv:2404.04475), without its term for the difficulty of instructions: the
 * logistic regression
 *
 *     P(win) = σ(θ + φ·tanh(Δ/s))        Δ = difference of lengths, s = √mean(Δ²)
 *
 * by Newton's method with a ridge of 0.001, read at Δ = 0: controlled = σ(θ). NaN of nothing.
 */
export function lengthControlled(comparisons: readonly Comparison[]): LengthControlled {
  if (comparisons.length === 0) return { raw: Number.NaN, controlled: Number.NaN, lengthEffect: Number.NaN }
  const scale = Math.sqrt(meanOf(comparisons.map(({ lengthDifference }) => lengthDifference ** 2))) || 1
  const rows = comparisons.map(({ win, lengthDifference }) => ({ win, x: Math.tanh(lengthDifference / scale) }))
  let [theta, phi] = [0, 0]
  for (let step = 0; step < 50; step++) {
    const gradient = [-RIDGE * theta, -RIDGE * phi] as [number, number]
    const hessian = [RIDGE, 0, RIDGE] as [number, number, number]
    for (const { win, x } of rows) {
      const p = 1 / (1 + Math.exp(-(theta + phi * x)))
      gradient[0] += win - p
      gradient[1] += (win - p) * x
      const weight = p * (1 - p)
      hessian[0] += weight
      hessian[1] += weight * x
      hessian[2] += weight * x * x
    }
    const determinant = hessian[0] * hessian[2] - hessian[1] ** 2
    const moves = [
      (hessian[2] * gradient[0] - hessian[1] * gradient[1]) / determinant,
      (hessian[0] * gradient[1] - hessian[1] * gradient[0]) / determinant,
    ] as const
    theta += moves[0]
    phi += moves[1]
    if (Math.max(Math.abs(moves[0]), Math.abs(moves[1])) < 1e-12) break
  }
  return { raw: meanOf(comparisons.map(({ win }) => win)), controlled: 1 / (1 + Math.exp(-theta)), lengthEffect: phi }
}

export interface LengthBucket {
  /** Lengths from `from` to below `to`. */
  readonly from: number
  readonly to: number
  readonly count: number
  /** NaN where there is none. */
  readonly mean: number
}

/** Mean of values by the length of their answers, e.g. wins, to see whether an order holds at each length. */
export function byLength(
  items: readonly { readonly length: number; readonly value: number }[],
  edges: readonly number[],
): LengthBucket[] {
  const bounds = [-Infinity, ...edges, Infinity]
  return bounds.slice(1).map((to, i) => {
    const from = bounds[i] as number
    const inside = items.filter(({ length }) => length >= from && length < to)
    return { from, to, count: inside.length, mean: meanOf(inside.map(({ value }) => value)) }
  })
}
