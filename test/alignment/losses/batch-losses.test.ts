import '@tensorflow/tfjs-backend-cpu'
import * as tf from '@tensorflow/tfjs-core'
import test from 'ava'
import fc from 'fast-check'
import {
  aot,
  bcoPair,
  bestNll,
  kto,
  ktoReferencePoint,
  ldWeights,
  logRatios,
  rrhfRank,
  weightedSum,
} from '../../../alignment/index.js'
import { registerGradients } from '../../../runtime/tensor/gradients/index.js'
import { close, PAIRS, pairGradients, sigmoid, slopes, softplus, tensorsOf } from './support.js'

registerGradients()

const LRW = [1, 0.5, -1.25, 1.5]
const LRL = [-0.5, -0.5, -0.5, -1.75]

test('AOT compares the sorted chosen with the sorted rejected log-ratios, or policy gaps with reference gaps', (t) => {
  const pair = tensorsOf(PAIRS)
  // sorted lr_w: −1.25 .5 1 1.5 (pairs 2 1 0 3); sorted lr_l: −1.75 −.5 −.5 −.5
  const unpaired = [1.5, 1, 0.5, 2].map((gap) => softplus(-0.1 * gap)) // in the places of their lr_w
  close(t, aot(pair, 0.1).dataSync(), unpaired)
  // log π gaps −1 1.5 −1.75 4.75, sorted −1.75 −1 1.5 4.75; log ref gaps −2.5 .5 −1 1.5, sorted −2.5 −1 .5 1.5
  const paired = [0, 1, 0.75, 3.25].map((gap) => softplus(-0.1 * gap))
  close(t, aot(pair, 0.1, { paired: true }).dataSync(), paired)
  const smooth = [1.5, 1, 0.5, 2].map((gap) => 0.9 * softplus(-0.1 * gap) + 0.1 * softplus(0.1 * gap))
  close(t, aot(pair, 0.1, { labelSmoothing: 0.1 }).dataSync(), smooth)
})

test('AOT of one pair is DPO; padding anywhere changes nothing; the sort has no gradient of its own', (t) => {
  for (const { ...pair } of PAIRS) {
    const h = pair.chosen - pair.refChosen - pair.rejected + pair.refRejected
    close(t, aot(tensorsOf([pair]), 0.1).dataSync(), [softplus(-0.1 * h)])
  }
  const padding = { ...PAIRS[0]!, chosen: 0, rejected: 0, refChosen: 0, refRejected: 0 }
  const padded = { ...tensorsOf([padding, PAIRS[0]!, PAIRS[1]!]), weight: tf.tensor1d([0, 1, 1]) }
  close(t, aot(padded, 0.1).dataSync().slice(1), [...aot(tensorsOf(PAIRS.slice(0, 2)), 0.1).dataSync()])

  const gaps = [1.5, 1, 0.5, 2].map((gap) => -0.1 * sigmoid(-0.1 * gap))
  const [chosen, rejected] = pairGradients((pair) => aot(pair, 0.1), tensorsOf(PAIRS))
  close(t, chosen, gaps)
  // The least lr_w (pair 2) meets the least lr_l (pair 3); the others meet equal ones, in any order.
  close(t, [rejected[3]!], [-gaps[2]!])
  close(t, [rejected.reduce((a, b) => a + b)], [-gaps.reduce((a, b) => a + b)])
})

test('KTO has the values of the reference, on both sides', (t) => {
  const z0 = ktoReferencePoint(tf.tensor1d([0.5, 0.25, 0.5, -0.5]), tf.ones([4]))
  close(t, z0.dataSync(), [0.1875])
  const ratios = tf.tensor1d(LRW)
  close(
    t,
    kto(ratios, tf.ones([4]), z0, { beta: 0.1 }).dataSync(),
    [0.4796986671, 0.4921881357, 0.535875743, 0.4672345229],
  )
  const lost = LRW.map((lr) => 1.5 * (1 - sigmoid(0.1 * (0.1875 - lr))))
  close(t, kto(ratios, tf.zeros([4]), z0, { beta: 0.1, undesirableWeight: 1.5 }).dataSync(), lost)
  const won = slopes((lr) => 1 - sigmoid(0.1 * (lr! - 0.1875)), [1])
  close(
    t,
    tf
      .grad((x: tf.Tensor) => tf.sum(kto(x, tf.ones([1]), z0, { beta: 0.1 })))(tf.tensor1d([1]))
      .dataSync(),
    won,
  )
})

test('KTO’s reference point is never below 0, leaves padding out, and has no gradient', (t) => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: -9, max: 9, noNaN: true }), { minLength: 2, maxLength: 6 }), (ratios) => {
      const [z0] = ktoReferencePoint(tf.tensor1d(ratios), tf.ones([ratios.length])).dataSync()
      close(t, [z0!], [Math.max(0, ratios.reduce((a, b) => a + b) / ratios.length)], 1e-5)
    }),
    { numRuns: 20 },
  )
  const weight = tf.tensor1d([1, 1, 0])
  close(t, ktoReferencePoint(tf.tensor1d([1, 2, 99]), weight).dataSync(), [1.5])
  const slope = tf.grad((x: tf.Tensor) => tf.add(ktoReferencePoint(x, weight), tf.sum(tf.mul(x, 3))) as tf.Scalar)
  close(t, slope(tf.tensor1d([1, 2, 99])).dataSync(), [3, 3, 3])
})

test('BCO moves with the running mean of rewards', (t) => {
  const ratios = logRatios(tensorsOf(PAIRS))
  const expected = LRW.map((w, i) => softplus(-(0.1 * w - 0.3)) + softplus(0.1 * LRL[i]! - 0.3))
  close(t, bcoPair(ratios, 0.1, 0.3).dataSync(), expected)
  close(t, bcoPair(ratios, 0.1, tf.tensor1d([0.3])).dataSync(), expected)
})

test('LD-DPO weighs tokens beyond the shared length by α, wherever the completions begin', (t) => {
  const mask = tf.tensor2d([
    [0, 1, 1, 1, 1, 0],
    [0, 1, 0, 0, 0, 0],
    [1, 1, 0, 0, 0, 0],
    [0, 0, 1, 1, 1, 0],
  ])
  t.deepEqual(ldWeights(mask, 0.5).arraySync(), [
    [0, 1, 1, 0.5, 0.5, 0],
    [0, 1, 0, 0, 0, 0],
    [1, 1, 0, 0, 0, 0],
    [0, 0, 1, 0.5, 0.5, 0],
  ])
  t.deepEqual(ldWeights(mask, 1).arraySync(), mask.arraySync())
  t.is(weightedSum([-1, -2, -4, -8], 2, 0.5), -9)
  t.is(weightedSum([-1, -2], 9, 0), -3)
})

test('RRHF ranks: the reference’s value, ties nothing, absent candidates nothing', (t) => {
  const means = [-0.8, -0.5, -0.9]
  const rank = (rewards: number[], weight = [1, 1, 1]) =>
    rrhfRank(tf.tensor2d([means]), tf.tensor2d([rewards]), tf.tensor2d([weight])).dataSync()
  close(t, rank([1, 0.2, 0.8]), [0.7]) // .3 for r₁ < r₀, .4 for r₁ < r₂
  close(t, rank([1, 1, 1]), [0])
  close(t, rank([1, 0.2, 0.8], [1, 1, 0]), [0.3])
  close(t, rank([-1, 1, -2]), [0]) // the order that it has: p₁ > p₀ > p₂
  const slope = tf.grad((x: tf.Tensor) => tf.sum(rrhfRank(x, tf.tensor2d([[1, 0.2, 0.8]]), tf.ones([1, 3]))))
  close(t, slope(tf.tensor2d([means])).dataSync(), [-1, 2, -1])
})

test('RRHF learns by likelihood the first of the best that are there', (t) => {
  const sums = tf.tensor2d([
    [-3, -5, -7],
    [-2, -4, -6],
  ])
  const rewards = tf.tensor2d([
    [1, 4, 4],
    [1, 2, 9],
  ])
  const weight = tf.tensor2d([
    [1, 1, 1],
    [1, 1, 0],
  ])
  close(t, bestNll(sums, rewards, weight).dataSync(), [5, 4])
  close(t, bestNll(sums, rewards, tf.zeros([2, 3])).dataSync(), [0, 0])
})
