import test from 'ava'
import { fitPairs, preferenceLoss } from '../../../alignment/index.js'

const logistic = (x: number) => 1 / (1 + Math.exp(-x))

/** Every ordered pair of four answers as often as Bradley–Terry of these rewards has it, per thousand. */
const REWARDS = [0, 1, -0.5, 1.5]
const oneHot = (answer: number) => REWARDS.map((_, i) => Number(i === answer))
const pairs = REWARDS.flatMap((a, i) =>
  REWARDS.flatMap((b, j) => (i === j ? [] : Array(Math.round(1000 * logistic(a - b))).fill([i, j]))),
) as [number, number][]
const chosen = pairs.map(([i]) => oneHot(i))
const rejected = pairs.map(([, j]) => oneHot(j))

test('DPO at β fits rewards / β, up to a constant, on either backend', async (t) => {
  for (const backend of ['cpu', 'onnx'] as const) {
    const theta = await fitPairs({ loss: preferenceLoss({ name: 'dpo', beta: 0.5 }), chosen, rejected, backend })
    for (const [i, reward] of REWARDS.entries()) t.true(Math.abs(theta[i]! - theta[0]! - reward / 0.5) < 0.02)
  }
})

test('decay draws the fit to 0, and no pairs are refused', async (t) => {
  const loss = preferenceLoss({ name: 'dpo', beta: 1 })
  const free = await fitPairs({ loss, chosen, rejected })
  const drawn = await fitPairs({ loss, chosen, rejected, decay: 0.1 })
  const size = (theta: readonly number[]) => Math.hypot(...theta)
  t.true(size(drawn) < 0.8 * size(free))
  await t.throwsAsync(fitPairs({ loss, chosen: [], rejected: [] }), { instanceOf: RangeError })
})
