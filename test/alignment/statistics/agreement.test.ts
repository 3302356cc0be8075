import test from 'ava'
import {
  exactMatch,
  fiveBest,
  kendall,
  kendallTau,
  pairAccuracy,
  spearman,
  spearmanRho,
  winRate,
} from '../../../alignment/index.js'
import { studentQuantile } from '../../../alignment/statistics/student.js'
import { pairedDifference } from '../../../alignment/statistics/win-rate.js'

/** Values of scipy 1.17: spearmanr and kendalltau (τ-b). */
const SCIPY: readonly [number[], number[], number, number][] = [
  [[1, 2, 3, 4, 5], [5, 6, 7, 8, 7], 0.8207826816681233, 0.7378647873726218],
  [[5, 4, 2, 2], [5, 4.33, 3, 1], 0.9486832980505139, 0.912870929175277],
  [[0, 5, 3, 3, 1, 4], [2, 2, 4, 3.5, 0, 5], 0.4411764705882353, 0.35714285714285715],
  [[1, 2, 3], [3, 2, 1], -1, -1],
]
const near = (a: number | null | undefined, b: number, eps = 1e-12) => Math.abs((a ?? Number.NaN) - b) < eps

test('rank correlations are scipy’s', (t) => {
  for (const [a, b, rho, tau] of SCIPY) {
    t.true(near(spearmanRho(a, b), rho))
    t.true(near(kendallTau(a, b), tau))
  }
  t.is(spearmanRho([1, 1], [1, 2]), undefined)
  t.is(kendallTau([1, 2], [3, 3]), undefined)
})

test('correlations are averaged over the groups that gold orders; a judge that ties everything gets 0', (t) => {
  const groups = [
    { gold: [1, 2, 3], judged: [3, 2, 1] },
    { gold: [5, 4, 2, 2], judged: [5, 4.33, 3, 1] },
    { gold: [1, 2], judged: [4, 4] },
    { gold: [2, 2], judged: [1, 5] },
    { gold: [1, 2, 9], judged: [1, 2, undefined] },
  ]
  t.true(near(spearman(groups), (-1 + 0.9486832980505139 + 0 + 1) / 4))
  t.true(near(kendall(groups), (-1 + 0.912870929175277 + 0 + 1) / 4))
  t.is(kendall([{ gold: [2, 2], judged: [1, 2] }]), null)
})

test('pair accuracy: gold ties are skipped, judge ties and unreadable verdicts count half', (t) => {
  // pairs of gold: 5>3 right, 5>3' tied, 3=3' skipped
  t.is(pairAccuracy([{ gold: [5, 3, 3], judged: [4, 2, 4] }]), 0.75)
  t.is(pairAccuracy([{ gold: [1, 2], judged: [3, 1] }]), 0)
  t.is(pairAccuracy([{ gold: [1, 2], judged: [undefined, 1] }]), 0.5)
  t.is(pairAccuracy([{ gold: [2, 2], judged: [1, 2] }]), null)
})

test('exact match wants every pair that gold orders, strictly', (t) => {
  const groups = [
    { gold: [5, 3, 3, 0], judged: [5, 2, 1, 0] },
    { gold: [5, 3, 0], judged: [5, 0, 0] },
    { gold: [1, 2], judged: [1, undefined] },
    { gold: [4, 4], judged: [1, 2] },
  ]
  t.is(exactMatch(groups), 1 / 3)
  t.is(exactMatch([]), null)
})

test('five-best: of answers judged 5, those that are gold’s best', (t) => {
  const groups = [
    { gold: [5, 3, 5], judged: [5, 5, 5] },
    { gold: [2, 1], judged: [4.67, 5] },
  ]
  t.is(fiveBest(groups), 0.5)
  t.is(fiveBest([{ gold: [1], judged: [4] }]), null)
})

test('win rate: ties half, prompts weigh the same however many samples they have', (t) => {
  const rate = winRate([[5, 3], [2], [4]], [[4, 3], [2], [5]])
  // first prompt: 5>4, 5>3, 3<4, 3=3 → 2.5 of 4; second: tie; third: loss
  t.true(near(rate.mean, (0.625 + 0.5 + 0) / 3))
  t.deepEqual([rate.wins, rate.ties, rate.losses], [2, 2, 2])
})

test('the interval is Student’s over prompts', (t) => {
  // rates 1, .5, 0, .75, 1, .5: mean .625, scipy's t interval [.2271130128, 1.0228869872], cut at 1
  const ours = [[2], [1], [0], [1, 2], [2], [1]]
  const theirs = ours.map(() => [1])
  const { mean, low, high } = winRate(ours, theirs)
  t.is(mean, 0.625)
  t.true(near(low, 0.2271130128060107, 2e-3))
  t.is(high, 1)
  t.deepEqual(winRate([[1]], [[0]]), { mean: 1, low: 0, high: 1, wins: 1, ties: 0, losses: 0 })
})

test('Student’s quantile is within half a percent of scipy’s', (t) => {
  const scipy: readonly [number, number][] = [
    [1, 12.706204736174694],
    [2, 4.302652729749462],
    [3, 3.1824463052837078],
    [4, 2.7764451051977934],
    [9, 2.262157162798205],
    [30, 2.0422724563012378],
    [399, 1.965927295920882],
  ]
  for (const [degrees, value] of scipy) t.true(Math.abs(studentQuantile(degrees) / value - 1) < 0.005, `${degrees}`)
  t.true(near(studentQuantile(399), 1.965927295920882, 1e-6))
})

test('a paired difference has Student’s interval over the pairs that have both sides', (t) => {
  // differences .25, 0, .5, −.25: mean .125, s = .3227486122, scipy's t(.975, 3) = 3.1824463053
  const { mean, low, high } = pairedDifference([0.75, 0.5, 1, 0.25, null, 1], [0.5, 0.5, 0.5, 0.5, 0.5, null])
  t.is(mean, 0.125)
  const half = (3.1824463053 * 0.3227486122) / 2
  t.true(Math.abs(high - (0.125 + half)) < 2e-3 && Math.abs(low - (0.125 - half)) < 2e-3, `${low} ${high}`)
  t.deepEqual(pairedDifference([1], [0.5]), { mean: 0.5, low: -1, high: 1 })
})
