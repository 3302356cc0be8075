import * as tf from '@tensorflow/tfjs-core'
import test from 'ava'
import { assertCase, type Case, flat, host, normal, smooth, truth, uniform, whole } from './support.js'

const x = normal([3, 4, 5])
/** No two elements closer than 1/6: extrema keep their place when finite differences move them. */
const apart = host('float32', [3, 4, 5], (i) => ((i * 7) % 60) / 6 - 5)
const axes: [string, number | number[] | undefined][] = [
  ['all', undefined],
  ['first', 0],
  ['middle', 1],
  ['last', -1],
  ['two', [0, 2]],
]

const reductions = axes.flatMap(([where, axis]) =>
  [false, true].flatMap((keep): Case[] => [
    ...([tf.sum, tf.mean, tf.logSumExp] as const).map((f) =>
      smooth(`${f.name.replace('__op', '')} ${where} ${keep ? 'kept' : ''}`, (a: tf.Tensor) => f(a, axis, keep), x),
    ),
    ...([tf.max, tf.min] as const).map((f) =>
      smooth(`${f.name.replace('__op', '')} ${where} ${keep ? 'kept' : ''}`, (a: tf.Tensor) => f(a, axis, keep), apart),
    ),
    smooth(
      `prod ${where} ${keep ? 'kept' : ''}`,
      (a: tf.Tensor) => tf.prod(a, axis as number, keep),
      uniform(0.7, 1.2, [2, 3, 2]),
    ),
  ]),
)

const others: Case[] = [
  smooth('sum of a broadcast', (a: tf.Tensor) => tf.sum(tf.broadcastTo(a, [6, 3, 4]), [0, 2]), normal([3, 1])),
  smooth(
    'mean of a broadcast',
    (a: tf.Tensor) => {
      const wide = tf.broadcastTo(a, [2, 3, 4])
      return [tf.mean(wide, 0), tf.mean(wide, [1, 2])]
    },
    normal([3, 1]),
  ),
  flat('max of a broadcast', (a: tf.Tensor) => tf.max(tf.broadcastTo(a, [2, 3, 4]), [1, 2]), normal([3, 1])),
  smooth('sum of a constant', (a: tf.Tensor) => tf.mul(a, tf.sum(tf.ones([3, 4]), 1)), normal([3])),
  smooth(
    'prod at a zero',
    (a: tf.Tensor) => tf.prod(a, 1),
    host('float32', [2, 3], (i) => (i % 4) / 2),
  ),
  smooth('softmax', (a: tf.Tensor) => tf.softmax(a), x),
  smooth('logSoftmax', (a: tf.Tensor) => tf.logSoftmax(a), x),
  smooth('logSoftmax of a difference', (a: tf.Tensor) => tf.logSoftmax(tf.sub(a, tf.max(a, -1, true))), x),
  flat('logSoftmax of large logits', (a: tf.Tensor) => tf.logSoftmax(tf.mul(a, 200)), x),
  ...[0, 1, 2].flatMap((axis) =>
    [
      [false, false],
      [true, false],
      [false, true],
      [true, true],
    ].map(([exclusive, reverse]) =>
      smooth(`cumsum ${axis} ${exclusive} ${reverse}`, (a: tf.Tensor) => tf.cumsum(a, axis, exclusive, reverse), x),
    ),
  ),
  ...[
    [false, false],
    [true, false],
    [false, true],
    [true, true],
  ].map(([exclusive, reverse]) =>
    flat(`cumprod ${exclusive} ${reverse}`, (a: tf.Tensor) => tf.cumprod(a, 1, exclusive, reverse), x),
  ),
  flat('argMax, argMin', (a: tf.Tensor) => [tf.argMax(a, 1), tf.argMin(a, -1), tf.argMax(a, 0)], x),
  flat('argMax takes the first of equals', (a: tf.Tensor) => tf.argMax(a, 1), whole(0, 2, [6, 5])),
  flat('all, any', (a: tf.Tensor) => [tf.all(a), tf.any(a, 1), tf.all(a, 0, true)], truth([3, 4])),
  flat(
    'sum, mean, max, min, prod of int32',
    (a: tf.Tensor) => [tf.sum(a, 0), tf.mean(a, 1), tf.max(a), tf.min(a, 0), tf.prod(a, 1)],
    whole(-3, 4, [3, 4]),
  ),
  flat('sum and mean of bool', (a: tf.Tensor) => [tf.sum(a, 0), tf.mean(a)], truth([3, 4])),
  flat(
    'topk',
    (a: tf.Tensor) => {
      const { values, indices } = tf.topk(a, 3)
      return [values, indices]
    },
    x,
  ),
]

for (const subject of [...reductions, ...others]) test(`reduce: ${subject.name}`, assertCase, subject)
