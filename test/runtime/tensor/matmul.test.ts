import * as tf from '@tensorflow/tfjs-core'
import test from 'ava'
import { assertCase, type Case, flat, host, normal, smooth, truth, whole } from './support.js'

const flags = [
  [false, false],
  [true, false],
  [false, true],
  [true, true],
] as const
const turned = (shape: number[], yes: boolean) =>
  yes ? [...shape.slice(0, -2), shape.at(-1) as number, shape.at(-2) as number] : shape

const shapes: [string, number[], number[]][] = [
  ['matrices', [3, 4], [4, 5]],
  ['a batch of one', [1, 3, 4], [1, 4, 5]],
  ['batches', [2, 3, 4], [2, 4, 5]],
  ['two batch axes', [2, 2, 3, 4], [2, 2, 4, 5]],
  ['a shared right side', [2, 3, 4], [4, 5]],
  ['a shared left side', [3, 4], [2, 4, 5]],
]

const products = shapes.flatMap(([name, a, b]) =>
  flags.map(([transA, transB]) =>
    smooth(
      `${name} ${transA} ${transB}`,
      (p: tf.Tensor, q: tf.Tensor) => tf.matMul(p, q, transA, transB),
      normal(turned(a, transA)),
      normal(turned(b, transB), 2),
    ),
  ),
)

const table = normal([7, 3])
const indexing: Case[] = [
  smooth(
    'a transposed operand',
    (a: tf.Tensor, b: tf.Tensor) => tf.matMul(tf.transpose(a, [0, 2, 1]), b),
    normal([2, 4, 3]),
    normal([2, 4, 5], 2),
  ),
  smooth('gather rows', (a: tf.Tensor, i: tf.Tensor) => tf.gather(a, i), table, whole(0, 7, [2, 5])),
  smooth('gather columns', (a: tf.Tensor, i: tf.Tensor) => tf.gather(a, i, 1), table, whole(0, 3, [4])),
  smooth(
    'gather a middle axis',
    (a: tf.Tensor, i: tf.Tensor) => tf.gather(a, i, 1),
    normal([2, 4, 3]),
    whole(0, 4, [2, 3]),
  ),
  smooth(
    'gather in batches',
    (a: tf.Tensor, i: tf.Tensor) => tf.gather(a, i, 1, 1),
    normal([2, 4, 3]),
    whole(0, 4, [2, 5]),
  ),
  smooth(
    'gather twice from one table',
    (a: tf.Tensor, i: tf.Tensor) => tf.add(tf.gather(a, i), tf.gather(a, tf.add(i, tf.scalar(1, 'int32')))),
    table,
    whole(0, 6, [4]),
  ),
  smooth('gatherND', (a: tf.Tensor, i: tf.Tensor) => tf.gatherND(a, i), table, whole(0, 3, [4, 2])),
  smooth('scatterND', (i: tf.Tensor, u: tf.Tensor) => tf.scatterND(i, u, [5, 3]), whole(0, 5, [4, 1]), normal([4, 3])),
  flat(
    'tensorScatterUpdate',
    (a: tf.Tensor, u: tf.Tensor) => tf.tensorScatterUpdate(a, tf.tensor2d([[1], [4]], [2, 1], 'int32'), u),
    table,
    normal([2, 3], 2),
  ),
  smooth(
    'unsortedSegmentSum drops ids outside',
    (a: tf.Tensor, i: tf.Tensor1D) => tf.unsortedSegmentSum(a, i, 4),
    normal([8, 3]),
    host('int32', [8], (i) => i - 2),
  ),
  smooth(
    'unsortedSegmentSum of numbers',
    (a: tf.Tensor, i: tf.Tensor1D) => tf.unsortedSegmentSum(a, i, 3),
    normal([8]),
    whole(0, 3, [8]),
  ),
  smooth(
    'unsortedSegmentSum of matrices',
    (a: tf.Tensor, i: tf.Tensor1D) => tf.unsortedSegmentSum(a, i, 3),
    normal([8, 2, 2]),
    whole(0, 3, [8]),
  ),
  flat(
    'oneHot',
    (i: tf.Tensor) => [
      tf.oneHot(i, 4),
      tf.oneHot(i, 3, 2, -1),
      tf.cast(tf.oneHot(i, 4), 'float32'),
      tf.oneHot(i, 4, 1, 0, 'bool'),
    ],
    host('int32', [2, 3], (i) => i - 1),
  ),
  smooth(
    'picking by oneHot',
    (a: tf.Tensor, i: tf.Tensor) => tf.sum(tf.mul(tf.logSoftmax(a), tf.oneHot(i, 3, 1, 0, 'float32')), -1),
    table,
    whole(0, 3, [7]),
  ),
  smooth(
    'masking by where',
    (a: tf.Tensor, m: tf.Tensor) => tf.softmax(tf.where(m, a, tf.scalar(-1e9))),
    table,
    truth([7, 3]),
  ),
]

for (const subject of [...products, ...indexing]) test(`matmul and indexing: ${subject.name}`, assertCase, subject)
