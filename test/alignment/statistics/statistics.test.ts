import test from 'ava'
import fc from 'fast-check'
import {
  bestOfNKl,
  bestOfNWinRate,
  byLength,
  fitBestOfN,
  fitReinforcement,
  lengthControlled,
  meanInterval,
  type Opinion,
  pairedBootstrap,
  pairedInterval,
  positionBias,
  raterAgreement,
} from '../../../alignment/index.js'
import { seededRandom } from '../../../runtime/time/index.js'

const near = (a: number, b: number, eps = 1e-9) => Math.abs(a - b) < eps

test('KL and win rate of the best of n: the reference’s values, and enumeration over fine atoms', (t) => {
  for (const [n, kl] of [
    [2, 0.193147],
    [4, 0.636294],
    [8, 1.204442],
    [16, 1.835089],
  ] as const)
    t.true(near(bestOfNKl(n), kl, 1e-6))
  const enumerate = (atoms: number, n: number) => {
    const chances = Array.from({ length: atoms }, (_, i) => ((i + 1) / atoms) ** n - (i / atoms) ** n)
    const kl = chances.reduce((sum, p) => sum + p * Math.log(p * atoms), 0)
    return { kl, wins: chances.reduce((sum, p, i) => sum + (p * (i + 0.5)) / atoms, 0) }
  }
  for (const n of [1, 2, 5, 16]) {
    const fine = enumerate(20_000, n)
    t.true(near(fine.kl, bestOfNKl(n), 1e-3))
    t.true(near(fine.wins, bestOfNWinRate(n), 1e-4))
    t.true(n === 1 || enumerate(3, n).kl < bestOfNKl(n), 'with ties the formula is above')
  }
})

const D = [0, 0.44, 0.8, 1.1, 1.35, 1.6, 1.9]
const R = [0, 0.3, 0.5, 0.55, 0.6, 0.52, 0.5]

test('Gao’s fits are numpy’s least squares', (t) => {
  const bon = fitBestOfN(D, R)
  t.true(near(bon.alpha, 0.8522059279136167) && near(bon.beta, 0.31438754940322805))
  t.true(near(bon.explained, 0.9981104003367396))
  const rl = fitReinforcement(D, R)
  t.true(near(rl.alpha, 0.5184926333416424) && near(rl.beta, 0.3799831423660417))
  t.true(near(rl.explained, 0.994146850980301))
})

test('exact data gives its own parameters, and the peak is where the curve is greatest', (t) => {
  const parameter = fc.double({ min: 0.1, max: 2, noNaN: true })
  fc.assert(
    fc.property(parameter, parameter, (alpha, beta) => {
      const bon = (d: number) => d * (alpha - beta * d)
      const rl = (d: number) => (d > 0 ? d * (alpha - beta * Math.log(d)) : 0)
      for (const [curve, fitted] of [
        [bon, fitBestOfN(D, D.map(bon))],
        [rl, fitReinforcement(D, D.map(rl))],
      ] as const) {
        t.true(near(fitted.alpha, alpha, 1e-6) && near(fitted.beta, beta, 1e-6))
        for (const step of [0.9, 1.1]) t.true(curve(fitted.peak) >= curve(step * fitted.peak) - 1e-12)
      }
    }),
    { numRuns: 20 },
  )
  t.is(fitBestOfN(D, D).peak, Infinity)
  t.true(Number.isNaN(fitBestOfN([1, 1], [1, 2]).alpha))
})

test('t intervals over seeds are scipy’s', (t) => {
  const [ours, theirs] = [
    [0.21, 0.35, 0.18, 0.4, 0.29],
    [0.1, 0.3, 0.21, 0.22, 0.2],
  ]
  const one = meanInterval(ours)
  t.true(near(one.mean, 0.286) && near(one.low, 0.17132239755630746, 1e-3) && near(one.high, 0.4006776024436926, 1e-3))
  const paired = pairedInterval([...ours, 9], [...theirs, null])
  t.true(
    near(paired.mean, 0.08) &&
      near(paired.low, -0.0161788797325699, 1e-3) &&
      near(paired.high, 0.17617887973256988, 1e-3),
  )
  t.deepEqual(meanInterval([2]), { mean: 2, low: -Infinity, high: Infinity })
  t.true(Number.isNaN(meanInterval([]).mean))
})

test('the bootstrap interval is scipy’s percentile interval, and a function of the seed', (t) => {
  const values = Array.from({ length: 40 }, (_, i) => ((i * i) % 17) / 10)
  const zeros = values.map(() => 0)
  const run = (seed: number) => pairedBootstrap(values, zeros, seededRandom(seed))
  t.true(near(run(1).mean, 0.775) && near(run(1).low, 0.6, 0.015) && near(run(1).high, 0.9525, 0.015))
  t.deepEqual(run(1), run(1))
  t.true(Number.isNaN(pairedBootstrap([null], [1], seededRandom(1)).mean))
})

test('length control is scipy’s optimum of the same regression, and undoes a liking for length', (t) => {
  const wins = [1, 1, 0, 1, 0.5, 0, 0, 1, 1, 0]
  const differences = [30, 10, -20, 40, 0, -5, 15, 25, -10, -30]
  const fitted = lengthControlled(wins.map((win, i) => ({ win, lengthDifference: differences[i]! })))
  t.true(near(fitted.controlled, 0.4871952096159605, 1e-6) && near(fitted.lengthEffect, 2.2130115, 1e-5))
  t.is(fitted.raw, 0.55)
  // Equal answers before a judge that likes length: ours are longer.
  const biased = Array.from({ length: 400 }, (_, i) => {
    const lengthDifference = 10 + ((i * 37) % 41) - 10 * (i % 3)
    return { win: 1 / (1 + Math.exp(-1.5 * Math.tanh(lengthDifference / 20))), lengthDifference }
  })
  const { raw, controlled } = lengthControlled(biased)
  t.true(raw > 0.6 && near(controlled, 0.5, 0.02))
  const won = lengthControlled([
    { win: 1, lengthDifference: 0 },
    { win: 1, lengthDifference: 0 },
  ])
  t.true(won.controlled > 0.99 && Number.isFinite(won.lengthEffect), 'nothing but wins has a finite fit')
})

test('means by length', (t) => {
  const items = [5, 10, 19, 20, 99].map((length) => ({ length, value: length }))
  const buckets = byLength(items, [10, 20, 50])
  t.deepEqual(
    buckets.map(({ count }) => count),
    [1, 2, 1, 1],
  )
  t.is(buckets[1]?.mean, 14.5)
})

test('position bias: how much the first place is liked, and how often swapping turns the verdict', (t) => {
  const { bias, flipped, invalid } = positionBias([
    { ab: 'first', ba: 'first' },
    { ab: 0.9, ba: 0.3 },
    { ab: 'tie', ba: 'tie' },
    { ab: 'invalid', ba: 'first' },
  ])
  t.true(near(bias, (1 + 1 + 0.9 + 0.3 + 0.5 + 0.5) / 6 - 0.5))
  t.true(near(flipped, 1 / 3) && near(invalid, 0.25))
})

test('Cohen’s κ: the textbook’s 20 + 15 of 50 give 0.4', (t) => {
  const repeat = (count: number, ...pair: [Opinion, Opinion]) => Array.from({ length: count }, () => pair)
  const pairs = [
    ...repeat(20, 'first', 0.8),
    ...repeat(5, 'first', 'second'),
    ...repeat(10, 0.1, 'first'),
    ...repeat(15, 'second', 'second'),
    ...repeat(7, 'invalid', 'first'),
  ]
  const { agreement, kappa, count } = raterAgreement(
    pairs.map(([a]) => a),
    pairs.map(([, b]) => b),
  )
  t.true(near(agreement, 0.7) && near(kappa, 0.4))
  t.is(count, 50)
})
