import '@tensorflow/tfjs-backend-cpu'
import * as tf from '@tensorflow/tfjs-core'
import test from 'ava'
import {
  importanceWeights,
  ppo,
  ppoPolicyLoss,
  ppoValueLoss,
  reinforceObjective,
  rlooAdvantages,
} from '../../../alignment/index.js'
import { registerGradients } from '../../../runtime/tensor/gradients/index.js'
import { close, slopes } from './support.js'

registerGradients()

const vector = (values: number[]) => tf.tensor1d(values)
const clamp = (x: number, low: number, high: number) => Math.min(high, Math.max(low, x))

test('PPO’s surrogate is clipped only where the ratio has gone too far in the advantage’s direction', (t) => {
  const ratios = [1.1, 1.5, 0.5, 1.5, 0.5, 1]
  const advantages = [2, 2, 2, -1, -1, 3]
  const old = [-1, -2, -3, -1, -2, -0.5]
  const now = old.map((x, i) => x + Math.log(ratios[i]!))
  const expected = [-2.2, -2.4, -1, 1.5, 0.8, -3] // −min(uA, clip(u, .8, 1.2)A)
  close(t, ppoPolicyLoss(vector(now), vector(old), vector(advantages), 0.2).dataSync(), expected)
  const loss = (x: tf.Tensor) => tf.sum(ppoPolicyLoss(x, vector(old), vector(advantages), 0.2))
  const each = (lp: number, i: number) => {
    const u = Math.exp(lp - old[i]!)
    return -Math.min(u * advantages[i]!, clamp(u, 0.8, 1.2) * advantages[i]!)
  }
  const numeric = now.map((lp, i) => slopes((x) => each(x!, i), [lp])[0]!)
  close(t, tf.grad(loss)(vector(now)).dataSync(), numeric, 1e-4)
  t.deepEqual(
    numeric.map((slope) => Math.abs(slope) < 1e-9),
    [false, true, false, false, true, false],
  )
})

test('PPO’s value loss takes the worse of the value and of the value held near the old one', (t) => {
  const [values, old, returns] = [vector([1, 3, 0]), vector([1, 1, 1]), vector([2, 3, 2])]
  close(t, ppoValueLoss(values, old, returns).dataSync(), [0.5, 0, 2])
  close(t, ppoValueLoss(values, old, returns, 0.5).dataSync(), [0.5, 0.5 * 1.5 ** 2, 2])
})

test('a batch of PPO: token means, padding, metrics and the pretraining mix', (t) => {
  const logprobs = tf.tensor2d([
    [-1, -2, 9],
    [0, 0, 0],
    [-3, -5, -7],
  ]) // rollout, padding, text
  const mask = tf.tensor2d([
    [1, 1, 0],
    [0, 0, 0],
    [1, 1, 1],
  ])
  const like = (values: number[]) => tf.tensor2d([values, [7, 7, 7], [9, 9, 9]])
  const ratio = 1.5
  const extras = [
    like([1, 3, 0]),
    like([-1, -2 - Math.log(ratio), 0]),
    like([2, 1, 9]),
    like([2, 3, 9]),
    like([1, 1, 9]),
  ]
  const options = { rollouts: 2, valueClip: 0.5, valueCoefficient: 0.1 }
  const { loss, metrics } = ppo(options)(logprobs, mask, extras)
  const read = (values: readonly tf.Tensor[]) => values.map((value) => value.dataSync()[0]!)
  const [policy, value] = [(-2 - 1.2) / 2, (0.5 + 0.5 * 1.5 ** 2) / 2]
  close(t, read([loss]), [policy + 0.1 * value])
  close(t, read(metrics), [policy, value, (ratio - 1 - Math.log(ratio)) / 2, 0.5], 1e-5)
  const mixed = ppo({ ...options, pretrainRows: 1, pretrainCoefficient: 2 })(logprobs, mask, extras)
  close(t, read([mixed.loss]), [policy + 0.1 * value + 2 * 5])
})

test('truncated importance weights, by token and by sequence, and masks', (t) => {
  const logprobs = tf.tensor2d([
    [-1, -2, -9],
    [-1, -1, -9],
  ])
  const behaviour = tf.tensor2d([
    [-2, -1.5, 0],
    [-1.1, -1.2, 0],
  ])
  const mask = tf.tensor2d([
    [1, 1, 0],
    [1, 1, 0],
  ])
  const weights = (...correction: [Parameters<typeof importanceWeights>[3]]) =>
    importanceWeights(logprobs, behaviour, mask, ...correction).dataSync()
  const r = [Math.E, Math.exp(-0.5), Math.exp(0.1), Math.exp(0.2)] as const
  close(t, weights({ kind: 'truncate', level: 'token', cap: 2 }), [2, r[1], 0, r[2], r[3], 0])
  close(t, weights({ kind: 'truncate', level: 'sequence', cap: 1.5 }), [1.5, Math.exp(0.3)])
  close(t, weights({ kind: 'mask', level: 'token', low: 0.9, high: 2 }), [0, 0, 0, r[2], r[3], 0])
  close(t, weights({ kind: 'mask', level: 'sequence', low: 0.5, high: 1.5 }), [0, Math.exp(0.3)])
})

test('a fresh sample has weight 1, and a capped expectation is that of min(π, Cμ)', (t) => {
  const same = tf.tensor2d([
    [-1, -2],
    [-3, -4],
  ])
  const correction = { kind: 'truncate', level: 'token', cap: 1 } as const
  close(t, importanceWeights(same, same, tf.ones([2, 2]), correction).dataSync(), [1, 1, 1, 1])
  const [pi, mu] = [
    [0.7, 0.2, 0.1],
    [0.2, 0.5, 0.3],
  ]
  const weights = importanceWeights(
    tf.tensor2d(pi.map((p) => [Math.log(p)])),
    tf.tensor2d(mu.map((p) => [Math.log(p)])),
    tf.ones([3, 1]),
    { kind: 'truncate', level: 'sequence', cap: 2 },
  ).dataSync()
  const value = [3, -1, 5]
  const expected = value.reduce((sum, v, i) => sum + Math.min(pi[i]!, 2 * mu[i]!) * v, 0)
  close(t, [value.reduce((sum, v, i) => sum + mu[i]! * weights[i]! * v, 0)], [expected], 1e-6)
})

test('REINFORCE: its gradient is −A a token over the rows, corrected ones times their weight, which has none', (t) => {
  const logprobs = tf.tensor2d([
    [-1, -2],
    [-3, -4],
    [0, 0],
  ])
  const mask = tf.tensor2d([
    [1, 1],
    [1, 0],
    [0, 0],
  ])
  const advantages = vector([2, -1, 5])
  const plain = reinforceObjective()
  const [loss] = plain(logprobs, mask, [advantages]).loss.dataSync()
  close(t, [loss!], [(2 * 3 - 1 * 3) / 2])
  const slope = tf.grad((x: tf.Tensor) => plain(x, mask, [advantages]).loss)(logprobs)
  close(t, slope.dataSync(), [-1, -1, 0.5, 0, 0, 0])

  const corrected = reinforceObjective({ correction: { kind: 'truncate', level: 'sequence', cap: 2 } })
  const behaviour = tf.tensor2d([
    [-1, -2 - Math.log(1.5)],
    [-9, 0],
    [0, 0],
  ])
  const steep = tf.grad((x: tf.Tensor) => corrected(x, mask, [advantages, behaviour]).loss)(logprobs)
  close(t, steep.dataSync(), [-1.5, -1.5, 1, 0, 0, 0], 1e-5)
  close(t, corrected(logprobs, mask, [advantages, behaviour]).metrics[1]!.dataSync(), [(1.5 * 2 + 2) / 3], 1e-5)
})

test('the policy gradient of a bandit by enumeration is the gradient of its expected reward', (t) => {
  const [logits, rewards] = [
    [0.3, -0.2, 0.5],
    [1, 4, -2],
  ]
  const probability = (xs: readonly number[]) => {
    const total = xs.reduce((sum, x) => sum + Math.exp(x), 0)
    return xs.map((x) => Math.exp(x) / total)
  }
  const expected = slopes((...xs) => probability(xs).reduce((sum, p, i) => sum + p * rewards[i]!, 0), logits)
  // Every pair of actions with RLOO's advantages, weighed by its probability.
  const p = probability(logits)
  const surrogate = (x: tf.Tensor) => {
    const logprobs = tf.logSoftmax(x)
    const terms = p.flatMap((pa, a) =>
      p.map((pb, b) => {
        const [first, second] = rlooAdvantages([rewards[a]!, rewards[b]!])
        const rows = tf.reshape(tf.gather(logprobs, tf.tensor1d([a, b], 'int32')), [2, 1])
        const { loss } = reinforceObjective()(rows, tf.ones([2, 1]), [vector([first!, second!])])
        return tf.mul(loss, pa * pb)
      }),
    )
    return tf.neg(tf.addN(terms)) as tf.Scalar
  }
  close(t, tf.grad(surrogate)(vector(logits)).dataSync(), expected, 1e-5)
})
