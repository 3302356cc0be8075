import { bestOfNCurve, bestOfNKl, bestOfNWinRate, klDivergence, meanOf } from '../../../alignment/index.js'
import { type Random, seededRandom } from '../../../runtime/time/index.js'
import { above, within } from '../check.js'
import type { Claim } from '../claim.js'

const [PROMPTS, MOST] = [400, 100]
const [ANSWERS, N] = [4000, 16]
const MATCHES = 40_000

/** C1. */
export const bestOfNClaim: Claim = {
  id: 'C1',
  title: 'Best of N: the greatest reward grows, the middle stays',
  statement:
    'With more samples a prompt the best reward grows while the median stays where it is; KL(best of N ‖ reference) = log N − (N − 1)/N and its win rate is N/(N + 1).',
  paper:
    'Llama 2 (Touvron et al. 2023), fig. 7: N = 1 to 100, greatest about .56 → .66, median flat; formulas of Beirami et al. 2024',
  setup: `${PROMPTS} prompts with ${MOST} rewards ~ N(0, 1); a policy over ${ANSWERS} answers without ties for the KL, exactly; ${MATCHES} matches for the win rate.`,
  seeds: 10,
  checks: [
    above('greatest of 100 less one sample, sd', (f) => f.growth ?? Number.NaN, 1),
    within('median of 100 less median of 1, sd', (f) => f.median ?? Number.NaN, -0.1, 0.1),
    // Expected greatest of n standard normal numbers (Harter 1961): 1.766 and 2.5076.
    within(
      'greatest of 16 less that of an order statistic, sd',
      (f) => (f.greatest16 ?? Number.NaN) - 1.766,
      -0.05,
      0.05,
    ),
    within(
      'greatest of 100 less that of an order statistic, sd',
      (f) => (f.greatest100 ?? Number.NaN) - 2.5076,
      -0.1,
      0.1,
    ),
    within(`KL of best of ${N} less the formula, nats`, (f) => f.klError ?? Number.NaN, -0.02, 0.001),
    within(`win rate of best of ${N} less ${N}/${N + 1}`, (f) => f.winError ?? Number.NaN, -0.005, 0.005),
  ],
  async experiment({ seed }) {
    const random = seededRandom(seed, 'C1')
    const pools = Array.from({ length: PROMPTS }, () => normals(MOST, random))
    const curves = pools.map((pool) => bestOfNCurve(pool, pool))
    const greatest = (n: number) => meanOf(curves.map((curve) => curve[n - 1] as number))
    const median = (n: number) => meanOf(pools.flatMap((pool) => blocks(pool, n).map(medianOf)))
    return {
      greatest1: greatest(1),
      greatest16: greatest(16),
      greatest100: greatest(MOST),
      growth: greatest(MOST) - greatest(1),
      median1: median(1),
      median100: median(MOST),
      median: median(MOST) - median(1),
      klError: exactKl(random) - bestOfNKl(N),
      winError: winRate(random) - bestOfNWinRate(N),
    }
  },
}

const normals = (count: number, random: Random) => Array.from({ length: count }, () => random.normal())

/** Consecutive n at a time. */
const blocks = (values: readonly number[], n: number) =>
  Array.from({ length: Math.floor(values.length / n) }, (_, i) => values.slice(n * i, n * (i + 1)))

function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** Of the best of N under a policy whose answers stand in the order of their rewards: P = F(i)^N − F(i − 1)^N. */
function exactKl(random: Random): number {
  const weights = Array.from({ length: ANSWERS }, () => -Math.log(1 - random.float()))
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  const reference = weights.map((weight) => weight / total)
  let before = 0
  const best = reference.map((p) => {
    const upTo = before + p
    const chance = upTo ** N - before ** N
    before = upTo
    return chance
  })
  return klDivergence(best, reference)
}

function winRate(random: Random): number {
  const wins = Array.from({ length: MATCHES }, () => Number(Math.max(...normals(N, random)) > random.normal()))
  return meanOf(wins)
}
