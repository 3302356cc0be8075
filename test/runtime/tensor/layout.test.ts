import * as tf from '@tensorflow/tfjs-core'
import test from 'ava'
import { assertCase, type Case, flat, normal, smooth, truth, whole } from './support.js'

const x = normal([2, 3, 4])
const y = normal([2, 3, 4], 2)

const cases: Case[] = [
  smooth('reshape twice', (a: tf.Tensor) => tf.reshape(tf.reshape(a, [6, 4]), [4, 6]), x),
  smooth('reshape with a free dimension', (a: tf.Tensor) => tf.reshape(a, [-1, 3]), x),
  smooth(
    'expandDims, squeeze',
    (a: tf.Tensor) => [tf.expandDims(a, 1), tf.expandDims(a, -1), tf.squeeze(tf.expandDims(a, 0))],
    x,
  ),
  ...[
    [0, 1, 2],
    [1, 0, 2],
    [2, 0, 1],
    [2, 1, 0],
  ].map((perm) => smooth(`transpose ${perm}`, (a: tf.Tensor) => tf.transpose(a, perm), x)),
  smooth('transpose twice', (a: tf.Tensor) => tf.transpose(tf.transpose(a, [1, 2, 0]), [0, 2, 1]), x),
  smooth('transpose that moves ones', (a: tf.Tensor) => tf.transpose(a, [2, 0, 1]), normal([4, 3, 1])),
  smooth(
    'transpose of a broadcast',
    (a: tf.Tensor) => tf.transpose(tf.broadcastTo(a, [2, 3, 4]), [2, 0, 1]),
    normal([3, 1]),
  ),
  smooth(
    'reshape of a broadcast',
    (a: tf.Tensor) => [
      tf.reshape(tf.broadcastTo(a, [2, 3, 4]), [2, 1, 3, 4]),
      tf.reshape(tf.broadcastTo(a, [2, 3, 4]), [6, 4]),
    ],
    normal([3, 1]),
  ),
  smooth(
    'slice of a broadcast',
    (a: tf.Tensor) => tf.slice(tf.broadcastTo(a, [2, 3, 4]), [1, 1, 0], [1, 2, 3]),
    normal([3, 1]),
  ),
  smooth(
    'matMul of a broadcast',
    (a: tf.Tensor, b: tf.Tensor) => tf.matMul(tf.broadcastTo(a, [2, 3, 4]), b, false, true),
    normal([3, 1]),
    x,
  ),
  smooth('slice', (a: tf.Tensor) => tf.slice(a, [0, 1, 1], [2, 2, -1]), x),
  smooth('slice all', (a: tf.Tensor) => tf.slice(a, [0], [-1]), normal([5])),
  flat(
    'stridedSlice',
    (a: tf.Tensor) => [
      tf.stridedSlice(a, [0, 2, 0], [2, 0, 4], [1, -1, 2]),
      tf.stridedSlice(a, [1], [2], [1], 0, 0, 0, 0, 1),
      tf.stridedSlice(a, [0, -1, 0], [2, -4, 4], [1, -1, 1]),
    ],
    x,
  ),
  smooth('reverse', (a: tf.Tensor) => [tf.reverse(a), tf.reverse(a, 1), tf.reverse(a, [0, -1])], x),
  ...[0, 1, -1].map((axis) =>
    smooth(`concat ${axis}`, (a: tf.Tensor, b: tf.Tensor) => tf.concat([a, b, a], axis), x, y),
  ),
  ...[0, 1, -1].map((axis) => smooth(`stack ${axis}`, (a: tf.Tensor, b: tf.Tensor) => tf.stack([a, b], axis), x, y)),
  ...[0, 1, -1].map((axis) => smooth(`unstack ${axis}`, (a: tf.Tensor) => tf.unstack(a, axis), x)),
  smooth('unstack, one used', (a: tf.Tensor) => tf.unstack(a, 1)[1] as tf.Tensor, x),
  smooth('split even', (a: tf.Tensor) => tf.split(a, 2, -1), x),
  smooth('split uneven, one used', (a: tf.Tensor) => tf.split(a, [1, 2], 1)[1] as tf.Tensor, x),
  smooth(
    'pad',
    (a: tf.Tensor) =>
      tf.pad(
        a,
        [
          [0, 1],
          [2, 0],
          [1, 1],
        ],
        0.5,
      ),
    x,
  ),
  smooth('tile', (a: tf.Tensor) => tf.tile(a, [2, 1, 3]), x),
  smooth('tile of a column', (a: tf.Tensor) => tf.tile(a, [1, 5]), normal([3, 1])),
  smooth('broadcastTo', (a: tf.Tensor) => tf.broadcastTo(a, [5, 3, 4]), normal([3, 1])),
  smooth('identity, cast', (a: tf.Tensor) => tf.cast(tf.clone(a), 'float32'), x),
  flat(
    'mirrorPad',
    (a: tf.Tensor) =>
      tf.mirrorPad(
        a,
        [
          [0, 0],
          [1, 1],
          [1, 2],
        ],
        'reflect',
      ),
    x,
  ),
  flat(
    'inputs, constants and fills as outputs',
    (a: tf.Tensor) => [a, a, tf.tensor1d([1, 2, 3]), tf.zeros([40, 2]), tf.ones([3], 'int32'), tf.fill([2], 7)],
    x,
  ),
  flat('ranges', () => [
    tf.range(0, 5),
    tf.range(5, 0, -2, 'int32'),
    tf.linspace(0, 1, 5),
    tf.eye(3),
    tf.zeros([2], 'bool'),
  ]),
  flat(
    'int32 and bool are moved',
    (a: tf.Tensor, b: tf.Tensor) => [
      tf.transpose(a),
      tf.concat([a, a], 1),
      tf.pad(a, [
        [1, 0],
        [0, 0],
      ]),
      tf.slice(b, [1, 0], [1, 3]),
      tf.concat([b, b]),
      tf.tile(b, [2, 2]),
    ],
    whole(0, 9, [2, 3]),
    truth([2, 3]),
  ),
]

for (const subject of cases) test(`layout: ${subject.name}`, assertCase, subject)
