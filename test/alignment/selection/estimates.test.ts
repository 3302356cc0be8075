import test from 'ava'
import fc from 'fast-check'
import { battleMatrix, bestOfNCurve, eloRatings, type Opinion } from '../../../alignment/index.js'

const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length

function* subsets(items: readonly number[], size: number): Generator<number[]> {
  if (size === 0) yield []
  else
    for (let i = 0; i <= items.length - size; i++)
      for (const rest of subsets(items.slice(i + 1), size - 1)) yield [items[i]!, ...rest]
}

test('the best-of-n curve is the mean over all subsets', (t) => {
  const number = fc.double({ min: -10, max: 10, noNaN: true })
  fc.assert(
    fc.property(fc.uniqueArray(number, { minLength: 1, maxLength: 7 }), fc.infiniteStream(number), (proxy, stream) => {
      const values = proxy.map(() => stream.next().value as number)
      const curve = bestOfNCurve(proxy, values)
      proxy.forEach((_, k) => {
        const best = [...subsets([...proxy.keys()], k + 1)].map((subset) =>
          subset.reduce((a, b) => (proxy[b]! > proxy[a]! ? b : a)),
        )
        t.true(Math.abs(curve[k]! - mean(best.map((i) => values[i]!))) < 1e-9)
      })
    }),
    { numRuns: 30 },
  )
})

test('equal proxies count with their mean; a large pool loses nothing', (t) => {
  t.deepEqual(bestOfNCurve([1, 1], [0, 4]), [2, 2])
  const pool = Array.from({ length: 1000 }, (_, i) => i)
  const curve = bestOfNCurve(pool, pool)
  t.true(Math.abs(curve[0]! - 499.5) < 1e-9)
  t.is(curve[999], 999)
  t.true(Math.abs(curve[99]! - ((100 * 1001) / 101 - 1)) < 1e-8, 'the expected maximum of 100 of 0…999')
})

test('a meta-judge that always takes the first has said nothing; fewer wins from a place weigh more', (t) => {
  const battle = (first: number, second: number, opinion: Opinion) => ({ first, second, opinion })
  t.deepEqual(battleMatrix([battle(0, 1, 'first'), battle(1, 0, 'first')], 2), [
    [0, 0],
    [0, 0],
  ])
  const battles = [battle(0, 1, 'first'), battle(1, 0, 0.2), battle(1, 2, 'first'), battle(2, 1, 'first')]
  // 3 wins of the first place, 1 of the second: weights ¼ and ¾.
  t.deepEqual(battleMatrix([...battles, battle(0, 2, 'invalid'), battle(0, 2, 'tie')], 3), [
    [0, 1, 0],
    [0, 0, 0.25],
    [0, 0.25, 0],
  ])
})

test('ratings of greatest likelihood: log odds of two, and the truth from exact expectations', (t) => {
  const [a, b] = eloRatings(
    [
      [0, 3],
      [1, 0],
    ],
    { prior: 0 },
  )
  t.true(Math.abs(a! - b! - Math.log(3)) < 1e-9)
  const truth = [1.2, -0.5, 0.3, -1]
  const wins = truth.map((m) => truth.map((n) => 1 / (1 + Math.exp(n - m))))
  const ratings = eloRatings(wins, { prior: 0 })
  t.true(ratings.every((rating, i) => Math.abs(rating - truth[i]!) < 1e-9))
})

test('one who never lost has a finite rating, one who never played 0', (t) => {
  const ratings = eloRatings([
    [0, 5, 0],
    [0, 0, 0],
    [0, 0, 0],
  ])
  t.true(ratings.every(Number.isFinite))
  t.true(ratings[0]! > ratings[2]! && ratings[2]! > ratings[1]!)
  t.deepEqual(
    eloRatings([
      [0, 0],
      [0, 0],
    ]),
    [0, 0],
  )
})
