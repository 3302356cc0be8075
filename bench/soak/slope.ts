/** A straight line through samples over time, by least squares, with the interval that holds the slope at 95 %. */
export interface Slope {
  readonly perHour: number
  readonly lowerPerHour: number
  readonly upperPerHour: number
  readonly mean: number
  /** Blocks that the line went through. */
  readonly blocks: number
}

export interface Point {
  readonly atMs: number
  readonly value: number
}

/** What of a span of time the line goes through. */
type BlockValue = 'mean' | 'least'

const HOUR_MS = 3_600_000
/** Fewer points than this leave the interval to chance. */
const MIN_BLOCKS = 4

/**
 * The slope of `points`, undefined while there are too few. Memory has a memory: what is sampled every few seconds
 * hangs together from sample to sample, and an interval that takes the samples for independent would be far too narrow.
 * So the line goes through the means of `blocks` equal spans of time, which hang together much less; or through their least
 * values, where work under way comes and goes on top of what is looked for.
 */
export function slopeOf(points: readonly Point[], blocks: number, of: BlockValue = 'mean'): Slope | undefined {
  const means = blockValues(points, blocks, of)
  const n = means.length
  if (n < MIN_BLOCKS) return undefined
  const meanX = average(means.map(({ atMs }) => atMs))
  const meanY = average(means.map(({ value }) => value))
  const sxx = sum(means.map(({ atMs }) => (atMs - meanX) ** 2))
  const sxy = sum(means.map(({ atMs, value }) => (atMs - meanX) * (value - meanY)))
  const slope = sxy / sxx
  const residuals = sum(means.map(({ atMs, value }) => (value - meanY - slope * (atMs - meanX)) ** 2))
  const margin = student975(n - 2) * Math.sqrt(residuals / (n - 2) / sxx)
  return {
    perHour: slope * HOUR_MS,
    lowerPerHour: (slope - margin) * HOUR_MS,
    upperPerHour: (slope + margin) * HOUR_MS,
    mean: meanY,
    blocks: n,
  }
}

/** Mean time and mean or least value of equal spans of time; spans without a point are left out. */
function blockValues(points: readonly Point[], blocks: number, of: BlockValue): Point[] {
  const from = points[0]?.atMs ?? 0
  const span = ((points.at(-1)?.atMs ?? 0) - from) / blocks
  if (span <= 0) return []
  const shares: Point[][] = Array.from({ length: blocks }, () => [])
  for (const point of points) shares[Math.min(blocks - 1, Math.floor((point.atMs - from) / span))]?.push(point)
  return shares
    .filter((share) => share.length > 0)
    .map((share) => {
      const values = share.map(({ value }) => value)
      return {
        atMs: average(share.map(({ atMs }) => atMs)),
        value: of === 'least' ? Math.min(...values) : average(values),
      }
    })
}

/** z, the 97.5 % quantile of the standard normal. */
const Z = 1.959963984540054

/**
 * The 97.5 % quantile of Student's t, for 2 degrees of freedom or more: closed for 2, else the expansion in 1/df of
 * Abramowitz and Stegun 26.7.5, whose error is below 0.5 % from 3 on.
 */
export function student975(df: number): number {
  if (df === 2) return 4.302652729749464
  const z = Z
  const terms = [
    z,
    (z ** 3 + z) / 4,
    (5 * z ** 5 + 16 * z ** 3 + 3 * z) / 96,
    (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / 384,
    (79 * z ** 9 + 776 * z ** 7 + 1482 * z ** 5 - 1920 * z ** 3 - 945 * z) / 92_160,
  ]
  return sum(terms.map((term, power) => term / df ** power))
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)
const average = (values: readonly number[]): number => sum(values) / values.length
