import type { Cost } from './cost-config.js'
import type { Random } from './random.js'

type Drawn = Exclude<Cost, { distribution: 'recorded' }>

/** Standard normal quantile of 95 %. */
const Z95 = 1.6448536269514722
/** A draw below 0 has at most probability ½, so this many in a row have at most 2⁻⁶⁴. */
const REDRAWS = 64

/** A function that draws lengths of this distribution, in milliseconds. */
export function drawer(cost: Drawn): (random: Random) => number {
  switch (cost.distribution) {
    case 'constant':
      return () => cost.ms
    case 'uniform':
      return (random) => cost.minMs + (cost.maxMs - cost.minMs) * random.float()
    case 'exponential':
      return (random) => -cost.meanMs * Math.log(1 - random.float())
    case 'lognormal': {
      const { mu, sigma } = lognormal(cost.meanMs, cost.p95Ms)
      return (random) => Math.exp(mu + sigma * random.normal())
    }
    case 'normal': {
      const sigma = (cost.p95Ms - cost.meanMs) / Z95
      return (random) => {
        for (let i = 0; i < REDRAWS; i++) {
          const length = cost.meanMs + sigma * random.normal()
          if (length >= 0) return length
        }
        return 0
      }
    }
  }
}

/**
 * From mean = e^(μ + σ²/2) and p95 = e^(μ + z·σ): σ²/2 − z·σ + ln(p95 / mean) = 0, of which the smaller root is the
 * distribution with the lighter tail.
 */
function lognormal(mean: number, p95: number): { mu: number; sigma: number } {
  const sigma = Z95 - Math.sqrt(Math.max(0, Z95 ** 2 - 2 * Math.log(p95 / mean)))
  return { mu: Math.log(mean) - sigma ** 2 / 2, sigma }
}
