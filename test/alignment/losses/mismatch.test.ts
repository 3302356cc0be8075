import '@tensorflow/tfjs-backend-cpu'
import * as tf from '@tensorflow/tfjs-core'
import test from 'ava'
import { dpo, effectiveSampleSize, mismatch } from '../../../alignment/index.js'

const near = (a: number | undefined, b: number, eps = 1e-5) =>
  Math.abs((a ?? Number.NaN) - b) < eps * Math.max(1, Math.abs(b))
const read = (values: readonly tf.Tensor[]) => values.map((value) => value.dataSync()[0])

test('k3, ratio and its square are means over the tokens that count', (t) => {
  const logprobs = tf.tensor2d([
    [-1, -2, -99],
    [-3, -0.5, -7],
  ])
  const behaviour = tf.tensor2d([
    [-1.5, -2, -1],
    [-1, -0.25, -7],
  ])
  const weight = tf.tensor2d([
    [1, 1, 0],
    [1, 1, 0],
  ])
  const [kl, ratio, square] = read(mismatch(logprobs, behaviour, weight))
  const logs = [0.5, 0, -2, -0.25]
  const mean = (f: (log: number) => number) => logs.reduce((sum, log) => sum + f(log), 0) / logs.length
  t.true(
    near(
      kl,
      mean((log) => Math.exp(log) - log - 1),
    ),
  )
  t.true(near(ratio, mean(Math.exp)))
  t.true(
    near(
      square,
      mean((log) => Math.exp(2 * log)),
    ),
  )
})

test('a token that one of the two holds impossible gives finite figures', (t) => {
  const [kl, ratio, square] = read(mismatch(tf.tensor2d([[0]]), tf.tensor2d([[-200]]), tf.tensor2d([[1]])))
  t.true(near(kl, Math.exp(20) - 21) && near(ratio, Math.exp(20)) && near(square, Math.exp(40)))
  t.deepEqual(read(mismatch(tf.tensor2d([[0]]), tf.tensor2d([[-1]]), tf.tensor2d([[0]]))), [0, 0, 0], 'nothing counts')
})

test('the effective sample size is 1 of equal ratios and 1/n where one outweighs all', (t) => {
  const ess = (ratios: readonly number[]) => {
    const mean = (power: number) => ratios.reduce((sum, r) => sum + r ** power, 0) / ratios.length
    return effectiveSampleSize(mean(1), mean(2))
  }
  t.true(near(ess([3, 3, 3, 3]), 1))
  t.true(near(ess([1, 0, 0, 0]), 1 / 4))
  t.true(near(ess([1, 2, 3]), 36 / (3 * 14)))
  t.is(effectiveSampleSize(0, 0), 0)
})

test('DPO measures the mismatch of its pairs alone, padding and mixed-in rows aside, at the same loss', (t) => {
  const rows = [
    [-1, -2],
    [-5, -5],
    [-3, -4],
    [-6, -6],
    [-9, -9],
  ] // chosen, padding, rejected, padding, mixed in
  const [logprobs, mask] = [tf.tensor2d(rows), tf.onesLike(tf.tensor2d(rows))]
  const extras = [[-3, -3], [-6, -6], [1, 0], [1]].map((values) => tf.tensor1d(values))
  const behaviour = tf.tensor2d([
    [-1.5, -2],
    [0, 0],
    [-3, -3],
    [0, 0],
    [0, 0],
  ])
  const options = { beta: 0.1, pairs: 2, nllRows: 1 }
  const plain = dpo(options)(logprobs, mask, extras)
  const measured = dpo({ ...options, behaviour: true })(logprobs, mask, [...extras, behaviour])
  t.deepEqual(read([measured.loss, ...measured.metrics.slice(0, 5)]), read([plain.loss, ...plain.metrics]))
  const [kl, ratio] = read(measured.metrics.slice(5))
  const logs = [0.5, 0, 0, -1]
  t.true(near(kl, logs.reduce((sum, log) => sum + Math.exp(log) - log - 1, 0) / 4))
  t.true(near(ratio, logs.reduce((sum, log) => sum + Math.exp(log), 0) / 4))
  t.throws(() => dpo({ ...options, behaviour: true })(logprobs, mask, extras), { instanceOf: TypeError })
})
