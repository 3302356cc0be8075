import '@tensorflow/tfjs-backend-cpu'
import * as tf from '@tensorflow/tfjs-core'
import test from 'ava'
import { dpo } from '../../../alignment/index.js'
import { registerGradients } from '../../../runtime/tensor/gradients/index.js'

registerGradients()

const REF_CHOSEN = [-13, -9, -19, -6.5]
const REF_REJECTED = [-10.5, -9.5, -18, -8]
/** Sequence sums that give h = 1.5, 1, −.75, 3.25; each is spread over three tokens, then a padded position follows. */
const CHOSEN = [-12, -8.5, -20.25, -5]
const REJECTED = [-11, -10, -18.5, -9.75]

const row = (sum: number) => [sum / 2, sum / 4, sum / 4, -99]
const MASKED = [1, 1, 1, 0]
const vector = (values: number[]) => tf.tensor1d(values)
const near = (a: number, b: number, eps = 1e-5) => Math.abs(a - b) < eps

function batch(sums: number[]) {
  return { logprobs: tf.tensor2d(sums.map(row)), mask: tf.tensor2d(sums.map(() => MASKED)) }
}

test('loss and metrics of four pairs are those of the reference', (t) => {
  const { logprobs, mask } = batch([...CHOSEN, ...REJECTED])
  const { loss, metrics } = dpo({ beta: 0.1, pairs: 4 })(logprobs, mask, [
    vector(REF_CHOSEN),
    vector(REF_REJECTED),
    vector([1, 1, 1, 1]),
  ])
  const [first, accuracy, chosen, rejected, margin] = metrics.map((m) => m.dataSync()[0] as number)
  const mean = (0.6209570478 + 0.6443966601 + 0.7313501408 + 0.543792604) / 4
  t.true(near(loss.dataSync()[0] as number, mean))
  t.true(near(first as number, mean))
  t.is(accuracy, 0.75)
  t.true(near(chosen as number, (0.1 * (1 + 0.5 - 1.25 + 1.5)) / 4))
  t.true(near(rejected as number, (0.1 * (-0.5 - 0.5 - 0.5 - 1.75)) / 4))
  t.true(near(margin as number, (0.1 * (1.5 + 1 - 0.75 + 3.25)) / 4))
})

test('a pair of weight 0 changes nothing, and a batch of padding alone costs 0', (t) => {
  const { logprobs, mask } = batch([...CHOSEN, ...REJECTED])
  const loss = (weights: number[]) =>
    dpo({ beta: 0.1, pairs: 4 })(logprobs, mask, [vector(REF_CHOSEN), vector(REF_REJECTED), vector(weights)]).loss
  t.true(near(loss([0, 1, 0, 0]).dataSync()[0] as number, 0.6443966601))
  t.is(loss([0, 0, 0, 0]).dataSync()[0], 0)
})

test('the gradient of each token is −βσ(−βh)/P on chosen, the opposite on rejected, 0 on padding', (t) => {
  const { logprobs, mask } = batch([...CHOSEN, ...REJECTED])
  const extras = [vector(REF_CHOSEN), vector(REF_REJECTED), vector([1, 1, 1, 1])]
  const slope = tf
    .grad((x: tf.Tensor) => dpo({ beta: 0.1, pairs: 4 })(x, mask, extras).loss)(logprobs)
    .arraySync() as number[][]
  const expected = [1.5, 1, -0.75, 3.25].map((h) => -0.1 / (1 + Math.exp(0.1 * h)) / 4)
  expected.forEach((value, i) => {
    t.true([0, 1, 2].every((k) => near(slope[i]?.[k] as number, value, 1e-7)))
    t.true([0, 1, 2].every((k) => near(slope[i + 4]?.[k] as number, -value, 1e-7)))
    t.is(Math.abs(slope[i]?.[3] as number), 0)
  })
})

test('a pair of equal sequences moves nothing: its two gradients cancel', (t) => {
  const { mask } = batch([-7, -7])
  const shared = tf.tensor2d([row(-7)])
  const extras = [vector([-6]), vector([-6]), vector([1])]
  const slope = tf.grad((x: tf.Tensor) => dpo({ beta: 0.1, pairs: 1 })(tf.concat([x, x]), mask, extras).loss)(shared)
  t.deepEqual(Array.from(slope.dataSync(), Math.abs), [0, 0, 0, 0])
})

test('mixed-in rows add their mean negative log-likelihood a token', (t) => {
  const { logprobs, mask } = batch([...CHOSEN, ...REJECTED, -6, -9, -1000])
  const loss = dpo({ beta: 0.1, pairs: 4, nllRows: 3, nllCoefficient: 0.5 })
  const extras = [vector(REF_CHOSEN), vector(REF_REJECTED), vector([1, 1, 1, 1]), vector([1, 1, 0])]
  const { loss: total, metrics } = loss(logprobs, mask, extras)
  t.true(near((total.dataSync()[0] as number) - (metrics[0]?.dataSync()[0] as number), (0.5 * 15) / 6))
})
