import test from 'ava'
import fc from 'fast-check'
import { gae, rlooAdvantages, tokenRewards, whiten } from '../../../alignment/index.js'

const near = (a: number, b: number, eps = 1e-9) => Math.abs(a - b) < eps
const numbers = (minLength: number) =>
  fc.array(fc.double({ min: -5, max: 5, noNaN: true }), { minLength, maxLength: 8 })
const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0)

test('GAE is the sum of discounted temporal differences: λ = 0 is one, λ = 1 all of them', (t) => {
  const unit = fc.double({ min: 0, max: 1, noNaN: true })
  fc.assert(
    fc.property(
      numbers(1),
      fc.infiniteStream(fc.double({ min: -5, max: 5, noNaN: true })),
      unit,
      unit,
      (rewards, stream, gamma, gaeLambda) => {
        const values = rewards.map(() => stream.next().value as number)
        const deltas = rewards.map((r, i) => r + gamma * (values[i + 1] ?? 0) - values[i]!)
        const { advantages, returns } = gae(rewards, values, { gamma, gaeLambda })
        advantages.forEach((advantage, i) => {
          t.true(near(advantage, sum(deltas.slice(i).map((delta, k) => (gamma * gaeLambda) ** k * delta))))
          t.true(near(returns[i]!, advantage + values[i]!))
        })
      },
    ),
    { numRuns: 50 },
  )
  const monteCarlo = gae([1, 0, 2], [0.5, 1, -1], { gaeLambda: 1 })
  t.deepEqual(monteCarlo.returns, [3, 2, 2])
  t.deepEqual(gae([1, 0, 2], [0.5, 1, -1], { gaeLambda: 0 }).advantages, [1.5, -2, 3])
  t.deepEqual(gae([], []).advantages, [])
})

test('token rewards: −β a token’s log-ratio, the score on the last, and the sum is the KL-penalised reward', (t) => {
  t.deepEqual(tokenRewards([-1, -2, -3], [-1.5, -2, -1], 4, { beta: 0.5 }), [-0.25, -0, 5])
  fc.assert(
    fc.property(numbers(1), fc.double({ min: -5, max: 5, noNaN: true }), (logprobs, score) => {
      const reference = logprobs.map((x) => x / 2)
      const rewards = tokenRewards(logprobs, reference, score, { beta: 0.02 })
      t.true(near(sum(rewards), score - 0.02 * (sum(logprobs) - sum(reference))))
    }),
  )
  t.deepEqual(tokenRewards([], [], 1, { beta: 1 }), [])
})

test('RLOO: each against the mean of the others; they sum to 0', (t) => {
  t.deepEqual(rlooAdvantages([1, 2, 6]), [1 - 4, 2 - 3.5, 6 - 1.5])
  t.deepEqual(rlooAdvantages([3]), [0])
  fc.assert(
    fc.property(numbers(2), (rewards) => {
      const advantages = rlooAdvantages(rewards)
      t.true(near(sum(advantages), 0))
      const mean = sum(rewards) / rewards.length
      const scale = rewards.length / (rewards.length - 1)
      t.true(advantages.every((a, i) => near(a, scale * (rewards[i]! - mean))))
    }),
  )
})

test('whitening gives mean 0 and variance 1, or keeps the mean', (t) => {
  const white = whiten([1, 2, 6])
  t.true(near(sum(white), 0) && near(sum(white.map((x) => x * x)) / 3, 1, 1e-6))
  t.true(near(sum(whiten([1, 2, 6], { keepMean: true })) / 3, 3))
  t.deepEqual(whiten([2, 2]), [0, 0])
})
