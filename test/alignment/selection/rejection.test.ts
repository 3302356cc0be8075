import test from 'ava'
import fc from 'fast-check'
import { acceptanceProbabilities, gumbelTopK, rejectionSample } from '../../../alignment/index.js'
import { type Random, seededRandom } from '../../../runtime/time/index.js'

const DRAWS = 20_000
const close = (t: import('ava').ExecutionContext, a: readonly number[], b: readonly number[], eps: number) => {
  t.is(a.length, b.length)
  for (const [i, x] of b.entries()) t.true(Math.abs(a[i]! - x) < eps, `${i}: ${a[i]} is not ${x}`)
}

/** How often each index is the first that a draw gives. */
function frequencies(draw: (random: Random) => number[], size: number): number[] {
  const counts = new Array<number>(size).fill(0)
  for (let i = 0; i < DRAWS; i++) counts[draw(seededRandom(i, 'draw'))[0]!]!++
  return counts.map((count) => count / DRAWS)
}

test('acceptance is exp((r − max r)/β): the reference’s values', (t) => {
  const chances = acceptanceProbabilities([0, 1, 2, 3], 0.5)
  close(t, chances, [0.002479, 0.018316, 0.135335, 1], 1e-6)
  close(t, [chances.reduce((a, b) => a + b) / 4], [0.289032], 1e-6)
  t.deepEqual(acceptanceProbabilities([0, 3], Infinity), [1, 1])
  t.deepEqual(acceptanceProbabilities([-Infinity, Infinity], 1), [0, 1])
})

test('one accepted of a shuffled pool has the exact distribution of the algorithm', (t) => {
  const options = { count: 1, beta: 1 }
  const shares = frequencies((random) => rejectionSample([0, 1, 2, 3], options, random), 4)
  close(t, shares, [0.020924, 0.058453, 0.172796, 0.747826], 4 * Math.sqrt(0.25 / DRAWS))
})

test('Gumbel-top-k draws from softmax(r/β), and without replacement', (t) => {
  const draw = (random: Random) => gumbelTopK([0, 1, 2, 3], { count: 2, beta: 1 }, random)
  const total = [0, 1, 2, 3].reduce((sum, r) => sum + Math.exp(r), 0)
  const softmax = [0, 1, 2, 3].map((r) => Math.exp(r) / total)
  close(t, frequencies(draw, 4), softmax, 4 * Math.sqrt(0.25 / DRAWS))
  close(t, [softmax[3]!], [0.6439], 1e-4)
  const second = softmax.map((_, j) =>
    softmax.reduce((sum, p, i) => (i === j ? sum : sum + (p * softmax[j]!) / (1 - p)), 0),
  )
  close(
    t,
    frequencies((random) => draw(random).slice(1), 4),
    second,
    4 * Math.sqrt(0.25 / DRAWS),
  )
})

test('β = 0 takes the best, β = ∞ any', (t) => {
  for (const sample of [rejectionSample, gumbelTopK]) {
    const rewards = [1, 4, 2, 3]
    t.deepEqual(sample(rewards, { count: 2, beta: 0 }, seededRandom(1)), [1, 3])
    const shares = frequencies((random) => sample(rewards, { count: 2, beta: Infinity }, random), 4)
    close(t, shares, [0.25, 0.25, 0.25, 0.25], 4 * Math.sqrt(0.1875 / DRAWS))
  }
})

test('it ends with as many different candidates as there are, whatever the rewards', (t) => {
  const reward = fc.option(fc.double({ min: -50, max: 50 }), { nil: undefined })
  const beta = fc.constantFrom(0, 0.001, 0.5, 5, Infinity)
  fc.assert(
    fc.property(
      fc.array(reward, { maxLength: 12 }),
      beta,
      fc.integer({ min: 0, max: 8 }),
      fc.nat(),
      (rewards, beta, count, seed) => {
        for (const sample of [rejectionSample, gumbelTopK]) {
          const keys = rewards.map((_, i) => i % 5)
          const accepted = sample(rewards, { count, beta, keys }, seededRandom(seed))
          const readable = rewards.flatMap((r, i) => (r === undefined || Number.isNaN(r) ? [] : [keys[i]!]))
          t.is(accepted.length, Math.min(count, new Set(readable).size))
          t.is(new Set(accepted.map((i) => keys[i])).size, accepted.length)
          t.true(accepted.every((i) => rewards[i] !== undefined))
        }
      },
    ),
  )
})

test('every pass accepts at least one: even a source that always says no takes no more passes than candidates', (t) => {
  const seeded = seededRandom(3)
  let drawn = 0
  const stubborn: Random = {
    ...seeded,
    float: () => {
      drawn++
      return 1 - 2 ** -53
    },
  }
  t.deepEqual(rejectionSample([0, 1, 2, 3], { count: 4, beta: 0.1 }, stubborn), [3, 2, 1, 0])
  t.is(drawn, 4 + 3 + 2 + 1)
})
