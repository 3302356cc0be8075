import test from 'ava'
import { geometricMix, klDivergence, nashMdStep, normalised } from '../../../alignment/index.js'

/** Three dice, each of which beats the next with probability 5/9: no reward can order them. */
const DICE = [
  [1 / 2, 5 / 9, 4 / 9],
  [4 / 9, 1 / 2, 5 / 9],
  [5 / 9, 4 / 9, 1 / 2],
]
const UNIFORM = [1 / 3, 1 / 3, 1 / 3]

test('the dice are what they are said to be', (t) => {
  const faces = [
    [2, 4, 9],
    [1, 6, 8],
    [3, 5, 7],
  ]
  const beats = (a: readonly number[], b: readonly number[]) =>
    a.flatMap((x) => b.map((y) => Number(x > y))).reduce((sum, win) => sum + win) / 9
  t.deepEqual(
    [beats(faces[0]!, faces[1]!), beats(faces[1]!, faces[2]!), beats(faces[2]!, faces[0]!)],
    [5 / 9, 5 / 9, 5 / 9],
  )
})

test('on the three dice Nash-MD converges to the uniform policy from anywhere', (t) => {
  for (const start of [
    [0.98, 0.01, 0.01],
    [0.1, 0.2, 0.7],
  ]) {
    let policy: readonly number[] = start
    for (let step = 0; step < 2000; step++) policy = nashMdStep(policy, UNIFORM, DICE, { tau: 0.05, eta: 0.5 })
    t.true(klDivergence(UNIFORM, policy) < 1e-9, String(policy))
  }
})

test('with an uneven reference it comes within the bound of the paper to the regularised Nash policy', (t) => {
  const [reference, tau] = [[0.6, 0.3, 0.1], 0.3]
  // The Nash policy of the regularised game is its own best answer: ∝ μ·exp(P(y ≻ π)/τ).
  const answerTo = (policy: readonly number[]) => {
    const wins = DICE.map((row) => row.reduce((sum, p, j) => sum + p * policy[j]!, 0))
    return normalised(reference.map((p, i) => p * Math.exp(wins[i]! / tau)))
  }
  let nash: readonly number[] = reference
  for (let step = 0; step < 500; step++) nash = geometricMix(nash, answerTo(nash), 0.2)
  t.true(klDivergence(nash, answerTo(nash)) < 1e-15)

  let policy: readonly number[] = reference
  for (let step = 0; step < 200; step++) {
    policy = nashMdStep(policy, reference, DICE, { tau, eta: 2 / (tau * (step + 2)) })
    t.true(klDivergence(nash, policy) <= 8 / (tau ** 2 * (step + 2)))
  }
  t.true(klDivergence(nash, policy) < 1e-3)
})

test('the mixture is one policy at each end', (t) => {
  t.deepEqual(geometricMix([0.5, 0.5], [0.9, 0.1], 0), [0.5, 0.5])
  const [first] = geometricMix([0.5, 0.5], [0.9, 0.1], 0.5)
  t.true(Math.abs(first! - Math.sqrt(0.45) / (Math.sqrt(0.45) + Math.sqrt(0.05))) < 1e-12)
})
