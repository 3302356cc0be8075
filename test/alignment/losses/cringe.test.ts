import '@tensorflow/tfjs-backend-cpu'
import * as tf from '@tensorflow/tfjs-core'
import test from 'ava'
import { binaryCringe, cringeContrast, pairwiseCringe, preferenceLoss } from '../../../alignment/index.js'
import { registerGradients } from '../../../runtime/tensor/gradients/index.js'
import { seededRandom } from '../../../runtime/time/index.js'
import { close, PAIRS, sigmoid, slopes, softplus, tensorsOf } from './support.js'

registerGradients()

const LOGITS = [
  [2, 1, 0.5, -1],
  [0.1, 0.2, 3, 0],
  [1.5, 1.4, -0.2, 0.3],
]
const tokens = tf.tensor1d([0, 2, 3], 'int32')

test('binary Cringe has the values of the reference at k = 1', (t) => {
  const losses = binaryCringe(tf.tensor2d(LOGITS), tokens, tf.tensor1d([0, 1, 0]))
  close(t, losses.dataSync(), [1.3132616875, 0.1532534355, 0.2632824673])
  close(t, cringeContrast(tf.tensor2d(LOGITS), tokens).dataSync(), [1.3132616875, softplus(3 - 0.2), 0.2632824673])
})

test('the loss `cringe` is cross-entropy of the chosen and contrast of the rejected, behind its gate', (t) => {
  const { perPair, ofLogits } = preferenceLoss({ name: 'cringe', margin: 2, temperature: 0.5, detached: true })
  t.is(ofLogits, cringeContrast)
  const pair = { ...tensorsOf(PAIRS), rejectedOfLogits: tf.tensor1d([3, 4, 5, 6]) }
  const expected = PAIRS.map((p, i) => sigmoid((2 - p.chosen + p.rejected) / 0.5) * (3 + i - p.chosen))
  close(t, perPair(pair).dataSync(), expected)
  t.throws(() => perPair(tensorsOf(PAIRS)), { message: /needs logits/ })
  for (const missing of ['margin', 'temperature', 'detached']) {
    const given = { margin: 2, temperature: 0.5, detached: true, [missing]: undefined }
    t.throws(() => preferenceLoss({ name: 'cringe', ...given }), { code: 'E_CONFIG', message: new RegExp(missing) })
  }
})

test('both logits of a bad token have a gradient, and the choice of the opponent has none', (t) => {
  const slope = tf.grad((x: tf.Tensor) => tf.sum(binaryCringe(x, tokens, tf.tensor1d([0, 1, 0]))))(tf.tensor2d(LOGITS))
  const bad = sigmoid(2 - 1)
  const crossEntropy = (...xs: number[]) => Math.log(xs.reduce((sum, x) => sum + Math.exp(x), 0)) - xs[2]!
  const worse = sigmoid(0.3 - 1.5)
  close(t, slope.dataSync(), [bad, -bad, 0, 0, ...slopes(crossEntropy, LOGITS[1]!), -worse, 0, 0, worse], 1e-5)
})

test('with k > 1 opponents are drawn from the softmax of the top k without the token', (t) => {
  const random = seededRandom(5)
  const draws = 4000
  const gumbel = tf.tensor2d(
    Array.from({ length: 4 * draws }, () => -Math.log(-Math.log(random.float() || 0.5))),
    [draws, 4],
  )
  const rows = tf.tile(tf.tensor2d([LOGITS[0]!]), [draws, 1])
  const losses = binaryCringe(rows, tf.fill([draws], 0, 'int32'), tf.zeros([draws]), { k: 2, gumbel }).dataSync()
  const [near, far] = [softplus(2 - 1), softplus(2 - 0.5)]
  const first = losses.filter((loss) => Math.abs(loss - near) < 1e-5).length
  const second = losses.filter((loss) => Math.abs(loss - far) < 1e-5).length
  t.is(first + second, draws, 'nothing outside of the top 2')
  const expected = sigmoid(1 - 0.5)
  t.true(Math.abs(first / draws - expected) < 4 * Math.sqrt((expected * (1 - expected)) / draws))
  t.throws(() => binaryCringe(tf.tensor2d(LOGITS), tokens, tf.zeros([3]), { k: 2 }), { message: /Gumbel/ })
})

test('pairwise Cringe’s gate is half open at the margin and shuts beyond it; detached it has no gradient', (t) => {
  const options = { margin: 2, temperature: 0.5, detached: true }
  const value = (gap: number) =>
    pairwiseCringe(tf.tensor1d([3]), tf.tensor1d([gap - 7]), tf.tensor1d([-7]), options).dataSync()[0]!
  close(t, [value(2), value(0), value(12), value(-50)], [1.5, 3 * sigmoid(4), 3 * sigmoid(-20), 3])
  const gradient = (detached: boolean) =>
    tf
      .grad((x: tf.Tensor) => tf.sum(pairwiseCringe(tf.tensor1d([3]), x, tf.tensor1d([-7]), { ...options, detached })))(
        tf.tensor1d([-6]),
      )
      .dataSync()
  close(t, gradient(true), [0])
  close(
    t,
    gradient(false),
    slopes((c) => 3 * sigmoid((2 - (c! + 7)) / 0.5), [-6]),
    1e-4,
  )
})
