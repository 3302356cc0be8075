import '@tensorflow/tfjs-backend-cpu'
import * as tf from '@tensorflow/tfjs-core'
import test from 'ava'
import { geometricMixture, nashMd, preferenceLoss, xpo } from '../../../alignment/index.js'
import { registerGradients } from '../../../runtime/tensor/gradients/index.js'
import { close, PAIRS, pairGradients, slopes, softplus, tensorsOf } from './support.js'

registerGradients()

const softmax = (xs: readonly number[]) => {
  const total = xs.reduce((sum, x) => sum + Math.exp(x), 0)
  return xs.map((x) => Math.exp(x) / total)
}

test('XPO is DPO plus α log π of the reference’s sample, on whichever side that is', (t) => {
  const hs = [1.5, 1, -0.75, 3.25]
  const expected = hs.map((h, i) => softplus(-0.1 * h) + 0.01 * PAIRS[i]!.rejected)
  const sample = tf.tensor1d(PAIRS.map((pair) => pair.rejected))
  close(t, xpo(tf.tensor1d(hs), sample, 0.1, 0.01).dataSync(), expected)

  const { perPair } = preferenceLoss({ name: 'xpo', alpha: 0.01 })
  const referenceSide = tf.tensor1d([1, 0, 0, 1])
  const [chosen, rejected] = pairGradients((pair) => perPair({ ...pair, referenceSide }), tensorsOf(PAIRS))
  const [plainChosen, plainRejected] = pairGradients(preferenceLoss().perPair, tensorsOf(PAIRS))
  close(
    t,
    chosen.map((slope, i) => slope - plainChosen[i]!),
    [0.01, 0, 0, 0.01],
    1e-6,
  )
  close(
    t,
    rejected.map((slope, i) => slope - plainRejected[i]!),
    [0, 0.01, 0.01, 0],
    1e-6,
  )
  t.throws(() => perPair(tensorsOf(PAIRS)), { message: /which completion the reference wrote/ })
})

test('Nash-MD’s gradient is minus ∇log π·[P − ½ − τ log(π/μ)], sequence by sequence', (t) => {
  const [logprobs, reference, preference] = [
    [-3, -8],
    [-4, -6],
    [0.9, 0.2],
  ]
  const loss = (x: tf.Tensor) => tf.sum(nashMd(x, tf.tensor1d(reference), tf.tensor1d(preference), 0.1))
  const expected = logprobs.map((lp, i) => -(preference[i]! - 0.5 - 0.1 * (lp - reference[i]!)))
  close(t, tf.grad(loss)(tf.tensor1d(logprobs)).dataSync(), expected)
})

test('Nash-MD’s surrogate, enumerated, has the gradient of the regularised preference', (t) => {
  const [logits, mu, win] = [[0.2, -0.4, 0.1], softmax([0.5, 0.1, -0.3]), [0.3, 0.8, 0.5]]
  const tau = 0.3
  // P(y ≻ fixed opponent) − τ·KL(π ‖ μ) as a function of the logits.
  const objective = (...xs: number[]) =>
    softmax(xs).reduce((sum, p, i) => sum + p * (win[i]! - tau * Math.log(p / mu[i]!)), 0)
  const surrogate = (x: tf.Tensor) => {
    const losses = nashMd(tf.logSoftmax(x), tf.tensor1d(mu.map(Math.log)), tf.tensor1d(win), tau)
    return tf.sum(tf.mul(losses, tf.tensor1d(softmax(logits)))) as tf.Scalar
  }
  const gradient = tf.grad(surrogate)(tf.tensor1d(logits)).dataSync()
  close(
    t,
    gradient,
    slopes(objective, logits).map((slope) => -slope),
    1e-5,
  )
})

test('the geometric mixture is π at 0, μ at 1, and normalised between', (t) => {
  const [policy, reference] = [tf.tensor2d([[1, 0, -2]]), tf.tensor2d([[0.5, 3, 0]])]
  close(t, geometricMixture(policy, reference, 0).dataSync(), softmax([1, 0, -2]).map(Math.log))
  close(t, geometricMixture(policy, reference, 1).dataSync(), softmax([0.5, 3, 0]).map(Math.log))
  const between = softmax([1 * 0.75 + 0.5 * 0.25, 3 * 0.25, -2 * 0.75]).map(Math.log)
  close(t, geometricMixture(policy, reference, 0.25).dataSync(), between)
})
