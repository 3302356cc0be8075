import test from 'ava'
import fc from 'fast-check'
import {
  aboveThreshold,
  allPairs,
  bestOf,
  type ChosenPair,
  firstWins,
  lengthTierPair,
  likelihoodRankedPairs,
  mostDisputed,
  type Opinion,
  randomPairs,
  selectPair,
  tournament,
} from '../../../alignment/index.js'
import { seededRandom } from '../../../runtime/time/index.js'

test('of two, the first wins a tie', (t) => {
  t.deepEqual(firstWins([2, 2]), { chosen: 0, rejected: 1 })
  t.deepEqual(firstWins([1, 2]), { chosen: 1, rejected: 0 })
  t.deepEqual(firstWins([undefined, 2]), { dropped: 'unreadable' })
  t.deepEqual(firstWins([1, Number.NaN]), { dropped: 'unreadable' })
})

test('all pairs are those that scores order, C(K, 2) of them without ties', (t) => {
  t.deepEqual(allPairs([2, undefined, 1, 2]), [
    { chosen: 0, rejected: 2 },
    { chosen: 3, rejected: 2 },
  ])
  t.is(allPairs([4, 1, 3, 2]).length, 6)
})

/** Plays by scores; what is equal is a tie. */
function play(scores: readonly number[]) {
  const rounds: number[] = []
  const game = tournament(scores.length)
  let step = game.next()
  while (!step.done) {
    rounds.push(step.value.length)
    const opinions = step.value.map(([a, b]): Opinion => {
      const order = Math.sign(scores[a]! - scores[b]!)
      return order > 0 ? 'first' : order < 0 ? 'second' : 'tie'
    })
    step = game.next(opinions)
  }
  return { ...step.value, rounds }
}

test('a tournament of m takes m − 1 comparisons, gives m − 1 pairs, and the best wins', (t) => {
  t.deepEqual(play([1, 5, 2, 4, 8, 3, 7, 6]).rounds, [4, 2, 1])
  fc.assert(
    fc.property(fc.uniqueArray(fc.integer(), { minLength: 1, maxLength: 20 }), (scores) => {
      const { winner, pairs, rounds } = play(scores)
      t.is(
        rounds.reduce((a, b) => a + b, 0),
        scores.length - 1,
      )
      t.is(pairs.length, scores.length - 1)
      t.is(scores[winner], Math.max(...scores))
      t.true(pairs.every(({ chosen, rejected }) => scores[chosen]! > scores[rejected]!))
      t.is(new Set(pairs.map(({ rejected }) => rejected)).size, pairs.length, 'each loses once')
    }),
  )
})

test('ties and missing opinions send the first on, without a pair', (t) => {
  t.deepEqual(play([3, 3, 1]), { winner: 0, pairs: [{ chosen: 0, rejected: 2 }], rounds: [1, 1] })
  const game = tournament(2)
  game.next()
  t.deepEqual(game.next([]), { done: true, value: { winner: 0, pairs: [] } })
  t.throws(() => tournament(0).next(), { instanceOf: RangeError })
})

test('random pairs are disjoint, and all are in one', (t) => {
  const pairs = randomPairs([10, 11, 12, 13, 14, 15, 16, 17], seededRandom(1))
  t.is(pairs.length, 4)
  t.deepEqual(
    pairs.flat().sort((a, b) => a - b),
    [10, 11, 12, 13, 14, 15, 16, 17],
  )
  t.is(randomPairs([1, 2, 3], seededRandom(1)).length, 1)
})

test('Click pairs an undesired generation with the next less likely desired one', (t) => {
  const pairs = likelihoodRankedPairs([-10, -12, -11, -9, -13, -20], [true, false, false, false, true, false])
  t.deepEqual(pairs, [
    { chosen: 2, rejected: 0 },
    { chosen: 5, rejected: 4 },
  ])
  t.deepEqual(likelihoodRankedPairs([-10, -5], [true, false]), [], 'none is less likely')
})

test('the best is the first of several, and unreadable scores are none', (t) => {
  t.is(bestOf([undefined, 2, 5, 5]), 2)
  t.is(bestOf([undefined, Number.NaN]), undefined)
  t.deepEqual(aboveThreshold([0.7, 0.71, undefined, 1], 0.7), [1, 3])
})

test('Meta-Rewarding’s tiers: shortest near the best, longest near the worst', (t) => {
  const scores = [5, 4.6, 3, 1.2, 1, undefined]
  const lengths = [100, 60, 5, 90, 40, 1]
  t.deepEqual(lengthTierPair(scores, lengths, 0), { chosen: 0, rejected: 4 })
  t.deepEqual(lengthTierPair(scores, lengths, 0.1), { chosen: 1, rejected: 3 }) // tiers ≥ 4.6 and ≤ 1.4
  t.deepEqual(lengthTierPair([2, 2], [1, 2], 0.3), { dropped: 'tie' })
  t.deepEqual(lengthTierPair([2, undefined], [1, 2], 0.3), { dropped: 'unreadable' })
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 2, maxLength: 7 }), (list) => {
      const equal = list.map(() => 1)
      t.deepEqual(lengthTierPair(list, equal, 0), selectPair(list), 'without lengths and tiers: best against worst')
      const tier = lengthTierPair(
        list,
        list.map((_, i) => (i * 7) % 5),
        0.4,
      )
      if ('chosen' in tier) t.true(list[tier.chosen]! > list[tier.rejected]!)
    }),
  )
})

test('the most disputed answer is the one whose verdicts vary most', (t) => {
  t.is(mostDisputed([[3, 3, 3], [1, 5], [5, 1, 3], [4]]), 1)
  t.is(mostDisputed([[3], []]), undefined)
})

test('pairs never set a candidate against itself', (t) => {
  const score = fc.option(fc.integer({ min: 0, max: 3 }), { nil: undefined })
  fc.assert(
    fc.property(fc.array(score, { maxLength: 6 }), (scores) => {
      const apart = ({ chosen, rejected }: ChosenPair) => scores[chosen]! > scores[rejected]!
      t.true(allPairs(scores).every(apart))
    }),
  )
})
