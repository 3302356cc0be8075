import '@tensorflow/tfjs-backend-cpu'
import * as tf from '@tensorflow/tfjs-core'
import test from 'ava'
import { logSigmoid, sigmoidPreferenceLoss } from '../../../alignment/index.js'
import { registerGradients } from '../../../runtime/tensor/gradients/index.js'

registerGradients()

/** Four pairs and their losses by the reference implementations (Mitchell's repository, TRL, SPIN) in float64. */
const H = [1.5, 1, -0.75, 3.25]
const DPO = [0.6209570478, 0.6443966601, 0.7313501408, 0.543792604]
const CDPO = [0.6359570478, 0.6543966601, 0.7238501408, 0.576292604]

const close = (
  t: import('ava').ExecutionContext,
  actual: ArrayLike<number>,
  expected: readonly number[],
  eps = 2e-6,
) => {
  t.is(actual.length, expected.length)
  for (const [i, value] of expected.entries())
    t.true(Math.abs((actual[i] as number) - value) < eps, `${i}: ${actual[i]} is not ${value}`)
}
const sigmoid = (x: number) => 1 / (1 + Math.exp(-x))

test('DPO and cDPO agree with the reference implementations', (t) => {
  close(t, sigmoidPreferenceLoss(tf.tensor1d(H), 0.1).dataSync(), DPO)
  close(t, sigmoidPreferenceLoss(tf.tensor1d(H), 0.1, 0.1).dataSync(), CDPO)
})

test('the gradient is −βσ(−βh); that of cDPO vanishes at h = logit(1 − ε)/β', (t) => {
  const slope = tf.grad((h: tf.Tensor) => tf.sum(sigmoidPreferenceLoss(h, 0.1)))(tf.tensor1d(H))
  close(
    t,
    slope.dataSync(),
    H.map((h) => -0.1 * sigmoid(-0.1 * h)),
  )
  const still = Math.log(0.9 / 0.1) / 0.1
  const smooth = tf.grad((h: tf.Tensor) => tf.sum(sigmoidPreferenceLoss(h, 0.1, 0.1)))
  close(
    t,
    smooth(tf.tensor1d([still - 5, still, still + 5]))
      .dataSync()
      .map(Math.sign)
      .slice(0, 1),
    [-1],
  )
  close(t, smooth(tf.tensor1d([still])).dataSync(), [0])
})

test('far from zero nothing overflows', (t) => {
  close(t, logSigmoid(tf.tensor1d([-1000, -20, 0, 20, 1000])).dataSync(), [
    -1000,
    -20.000000002,
    -Math.LN2,
    -2.0611e-9,
    0,
  ])
  const slope = tf.grad((x: tf.Tensor) => tf.sum(logSigmoid(x)))(tf.tensor1d([-1000, 0, 1000]))
  close(t, slope.dataSync(), [1, 0.5, 0])
})
