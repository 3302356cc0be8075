import '@tensorflow/tfjs-backend-cpu'
import * as tf from '@tensorflow/tfjs-core'
import test from 'ava'
import {
  pairRankerObjective,
  preferencesOf,
  rewardModelObjective,
  rewardRanking,
  softRewardLoss,
} from '../../../alignment/index.js'
import { registerGradients } from '../../../runtime/tensor/gradients/index.js'
import { close, sigmoid, slopes, softplus } from './support.js'

registerGradients()

const cube = (groups: readonly (readonly (number | undefined)[])[]) =>
  tf.tensor3d(
    groups.flatMap((scores) => [...preferencesOf(scores)]),
    [groups.length, 3, 3],
  )

test('all comparisons of a prompt are one element: their mean', (t) => {
  const rewards = [0.5, -1, 2]
  const loss = (a: number, b: number, c: number) => (softplus(-(a - b)) + softplus(-(a - c)) + softplus(-(c - b))) / 3
  const preferred = cube([[3, 1, 2]])
  close(t, rewardRanking(tf.tensor2d([rewards]), preferred).dataSync(), [
    loss(...(rewards as [number, number, number])),
  ])
  const slope = tf.grad((x: tf.Tensor) => tf.sum(rewardRanking(x, preferred)))(tf.tensor2d([rewards]))
  close(
    t,
    slope.dataSync(),
    slopes((...xs) => loss(...(xs as [number, number, number])), rewards),
    1e-5,
  )
})

test('ties and missing scores give no comparison, and a prompt without any costs nothing', (t) => {
  t.deepEqual([...preferencesOf([2, 2, undefined])], [0, 0, 0, 0, 0, 0, 0, 0, 0])
  t.deepEqual([...preferencesOf([2, 1, 2])], [0, 1, 0, 0, 0, 0, 0, 1, 0])
  const losses = rewardRanking(
    tf.tensor2d([
      [1, 2, 3],
      [1, 2, 3],
    ]),
    cube([
      [1, 1, 1],
      [1, undefined, 0],
    ]),
  )
  close(t, losses.dataSync(), [0, softplus(-(1 - 3))])
})

test('soft labels: the slope is σ(r₁ − r₂) − p, so that the optimum is the labeller’s probability', (t) => {
  const [first, second, p] = [
    [0.3, -2, 1],
    [1, 0.5, 1],
    [0.8, 0, 0.5],
  ]
  const loss = (x: tf.Tensor) => tf.sum(softRewardLoss(x, tf.tensor1d(second), tf.tensor1d(p)))
  const expected = first.map((r, i) => sigmoid(r - second[i]!) - p[i]!)
  close(t, tf.grad(loss)(tf.tensor1d(first)).dataSync(), expected)
  const still = tf.tensor1d([Math.log(0.8 / 0.2)])
  const slope = tf.grad((x: tf.Tensor) => tf.sum(softRewardLoss(x, tf.zeros([1]), tf.tensor1d([0.8]))))(still)
  close(t, slope.dataSync(), [0])
})

test('a batch of prompts: their mean, and the accuracy; soft labels are the same loss', (t) => {
  const objective = rewardModelObjective({ prompts: 2, completions: 2 })
  const of = (preferred: number[]) => {
    const { loss, metrics } = objective(tf.tensor1d([1, 3, 2, 5]), [tf.tensor3d(preferred, [2, 2, 2])])
    return [loss, ...metrics].map((value) => value.dataSync()[0]!)
  }
  const hard = (softplus(-(1 - 3)) + softplus(-(5 - 2))) / 2
  close(t, of([0, 1, 0, 0, 0, 0, 1, 0]), [hard, hard, 0.5])
  const soft = softRewardLoss(tf.tensor1d([1, 2]), tf.tensor1d([3, 5]), tf.tensor1d([0.7, 0.4])).dataSync()
  close(t, of([0, 0.7, 0.3, 0, 0, 0.4, 0.6, 0]).slice(0, 1), [(soft[0]! + soft[1]!) / 2])
  const [only] = of([0, 1, 0, 0, 0, 0, 0, 0])
  close(t, [only!], [softplus(2)], 1e-6, 'a prompt without comparisons is no element of the mean')
})

test('a ranker: cross-entropy to the labels, whose slope is w·(σ(score) − p); padding counts for nothing', (t) => {
  const [scores, p, w] = [
    [0.4, -2, 3, 7],
    [1, 0.3, 0, 1],
    [1, 0.5, 1, 0],
  ]
  const of = (given: readonly number[]) =>
    pairRankerObjective(tf.tensor1d([...given]), [tf.tensor1d(p), tf.tensor1d(w)])
  const expected =
    (-Math.log(sigmoid(0.4)) - 0.5 * (0.3 * Math.log(sigmoid(-2)) + 0.7 * Math.log(sigmoid(2))) + softplus(3)) / 2.5
  const { loss, metrics } = of(scores)
  close(
    t,
    [loss, ...metrics].map((value) => value.dataSync()[0]!),
    [expected, expected, (1 + 0.5 * 0.7 + 0) / 2.5],
  )
  const slope = tf.grad((x: tf.Tensor) => pairRankerObjective(x, [tf.tensor1d(p), tf.tensor1d(w)]).loss)
  close(
    t,
    slope(tf.tensor1d(scores)).dataSync(),
    scores.map((score, i) => (w[i]! * (sigmoid(score) - p[i]!)) / 2.5),
  )
})
