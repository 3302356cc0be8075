import '@tensorflow/tfjs-backend-cpu'
import * as tf from '@tensorflow/tfjs-core'
import test from 'ava'
import { ipo, klDivergence, optimalPolicy, sigmoidPreferenceLoss, spinStep } from '../../../alignment/index.js'
import { registerGradients } from '../../../runtime/tensor/gradients/index.js'

registerGradients()

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x))
const column = (values: readonly number[]) => tf.tensor1d([...values])

/** h of every ordered pair of answers, [K, K], for a policy by its logits. */
function gaps(logits: tf.Tensor, reference: readonly number[]): tf.Tensor {
  const ratios = tf.sub(tf.logSoftmax(logits), column(reference.map(Math.log)))
  return tf.sub(tf.expandDims(ratios, 1), tf.expandDims(ratios, 0))
}

/** Gradient descent; the logits where it ends. */
function descend(loss: (logits: tf.Tensor) => tf.Scalar, start: readonly number[], rate: number, steps: number) {
  const slope = tf.grad(loss)
  let logits = column(start) as tf.Tensor
  for (let i = 0; i < steps; i++) logits = tf.tidy(() => tf.sub(logits, tf.mul(slope(logits), rate)))
  return logits
}
const policyOf = (logits: tf.Tensor) => Array.from(tf.softmax(logits).dataSync())

const REFERENCE = [0.4, 0.3, 0.2, 0.1]
const REWARDS = [0, 1, -0.5, 1.5]

test('DPO on all Bradley–Terry comparisons recovers the optimal policy', (t) => {
  const beta = 0.5
  const wins = tf.tensor2d(REWARDS.map((a) => REWARDS.map((b) => sigmoid(a - b))))
  const loss = (logits: tf.Tensor) =>
    tf.mean(tf.mul(sigmoidPreferenceLoss(gaps(logits, REFERENCE), beta), wins)) as tf.Scalar
  const learned = policyOf(descend(loss, [0, 0, 0, 0], 30, 400))
  const expected = optimalPolicy(REFERENCE, REWARDS, beta)
  t.true(klDivergence(expected, learned) < 1e-6, `${learned} is not ${expected}`)
  t.true(klDivergence(expected, REFERENCE) > 0.1)
})

test('with labels that never err IPO stops at σ(½/τ), and DPO nowhere, whatever β', (t) => {
  for (const [tau, share] of [
    [0.1, 0.9933],
    [0.5, 0.7311],
    [1, 0.6225],
  ] as const) {
    const loss = (logits: tf.Tensor) => {
      const h = tf.slice(tf.reshape(gaps(logits, [0.5, 0.5]), [4]), 1, 1) // h of (0, 1)
      return tf.sum(ipo(h, tau)) as tf.Scalar
    }
    const [first] = policyOf(descend(loss, [0, 0], 0.1, 100))
    t.true(Math.abs(first! - sigmoid(0.5 / tau)) < 1e-5)
    t.true(Math.abs(first! - share) < 5e-5)
  }
  for (const beta of [0.1, 1, 10]) {
    const slope = tf.grad((h: tf.Tensor) => tf.sum(sigmoidPreferenceLoss(h, beta)))
    t.true(
      slope(column([0, 1, 20 / beta]))
        .dataSync()
        .every((value) => value < 0),
    )
  }
})

test('SPIN’s ideal step is where its expected loss is stationary, and the data its fixed point', (t) => {
  const [data, iterate, lambda] = [[0.5, 0.2, 0.2, 0.1], [0.1, 0.3, 0.4, 0.2], 2]
  const slopeAt = (policy: readonly number[], from: readonly number[]) => {
    const weights = tf.tensor2d(data.map((p) => from.map((q) => p * q))) // winner of the data, loser of the iterate
    const loss = (logits: tf.Tensor) => tf.sum(tf.mul(sigmoidPreferenceLoss(gaps(logits, from), lambda), weights))
    return Math.max(
      ...tf
        .grad(loss)(column(policy.map(Math.log)))
        .dataSync()
        .map(Math.abs),
    )
  }
  t.true(slopeAt(spinStep(iterate, data, lambda), iterate) < 1e-6)
  t.true(slopeAt(iterate, iterate) > 0.01)
  t.true(slopeAt(data, data) < 1e-6)
  t.true(klDivergence(data, spinStep(data, data, lambda)) < 1e-12)
  t.true(klDivergence(data, spinStep(iterate, data, 1)) < 1e-12, 'λ = 1 gets there in one step')
})

test('the optimal policy maximises reward less β·KL', (t) => {
  const beta = 0.7
  const value = (policy: readonly number[]) =>
    policy.reduce((sum, p, i) => sum + p * REWARDS[i]!, 0) - beta * klDivergence(policy, REFERENCE)
  const best = optimalPolicy(REFERENCE, REWARDS, beta)
  const greatest = beta * Math.log(REFERENCE.reduce((sum, p, i) => sum + p * Math.exp(REWARDS[i]! / beta), 0))
  t.true(Math.abs(value(best) - greatest) < 1e-12, 'β log Z')
  t.true(value(REFERENCE) < greatest)
})
