import { meanOf, meanVerdict, selectPair } from '../../../alignment/index.js'
import { type Random, seededRandom } from '../../../runtime/time/index.js'
import { below, within } from '../check.js'
import type { Claim } from '../claim.js'

const TRIALS = 40_000
const [SAMPLES, NOISE, CANDIDATES] = [3, 1, 4]

/** Mean of k readings of a score. */
const reading = (score: number, k: number, random: Random): number =>
  meanVerdict(Array.from({ length: k }, () => score + NOISE * random.normal())) as number

/** C28. */
export const averagedJudgmentsClaim: Claim = {
  id: 'C28',
  title: 'Averaging three judgments',
  statement:
    'The mean of three noisy judgments has 1/√3 of the spread; best-against-worst pairs are the ones it orders wrongly least often.',
  paper:
    'sd/√3; noise 1: a gap of .5 is flipped 27 % of the time, one of 2 .7 % (derived; Self-Rewarding, Yuan et al. 2024, §2.4)',
  setup: `${TRIALS} simulated readings; ${CANDIDATES} candidates with scores ~ N(0, 1) for the pairs.`,
  seeds: 10,
  checks: [
    within('spread of the mean of 3, over that of one', (f) => f.spread ?? Number.NaN, 0.565, 0.59),
    within('flips at a gap of .5, %', (f) => f.flipsHalf ?? Number.NaN, 26, 28),
    within('flips at a gap of 2, %', (f) => f.flipsTwo ?? Number.NaN, 0.5, 0.9),
    below(
      'flips of best-against-worst pairs less those of random pairs, points',
      (f) => f.bestLessRandom ?? Number.NaN,
      0,
    ),
  ],
  async experiment({ seed }) {
    const random = seededRandom(seed, 'C28')
    const times = <T>(make: () => T) => Array.from({ length: TRIALS }, make)
    const sd = (values: readonly number[]) => Math.sqrt(meanOf(values.map((value) => value * value)))
    const flips = (gap: number) =>
      100 * meanOf(times(() => Number(reading(gap, SAMPLES, random) < reading(0, SAMPLES, random))))
    const pairs = times(() => {
      const truth = Array.from({ length: CANDIDATES }, () => random.normal())
      const seen = truth.map((score) => reading(score, SAMPLES, random))
      const best = selectPair(seen)
      if ('dropped' in best) return { best: 0, random: 0 }
      const isRight = (chosen: number, rejected: number) => truth[chosen]! > truth[rejected]!
      return {
        best: Number(!isRight(best.chosen, best.rejected)),
        random: Number(seen[0]! > seen[1]! ? !isRight(0, 1) : !isRight(1, 0)),
      }
    })
    const [best, any] = [100 * meanOf(pairs.map((p) => p.best)), 100 * meanOf(pairs.map((p) => p.random))]
    return {
      spread: sd(times(() => reading(0, SAMPLES, random))) / sd(times(() => reading(0, 1, random))),
      flipsHalf: flips(0.5),
      flipsTwo: flips(2),
      flipsBest: best,
      flipsRandom: any,
      bestLessRandom: best - any,
    }
  },
}
