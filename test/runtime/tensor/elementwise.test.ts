import * as tf from '@tensorflow/tfjs-core'
import test from 'ava'
import { assertCase, type Case, flat, host, normal, smooth, truth, uniform, whole } from './support.js'

const x = normal([3, 4])
const positive = uniform(0.3, 3, [3, 4])
const inside = uniform(-0.6, 0.6, [3, 4])

const unary: Case[] = [
  ...([tf.abs, tf.neg, tf.square, tf.exp, tf.expm1, tf.sigmoid, tf.tanh, tf.softplus, tf.logSigmoid] as const).map(
    (f) => smooth(f.name.replace('__op', ''), (a: tf.Tensor) => f(a), x),
  ),
  ...([tf.sin, tf.cos, tf.atan, tf.sinh, tf.cosh, tf.asinh, tf.erf, tf.relu, tf.relu6, tf.elu, tf.selu] as const).map(
    (f) => smooth(f.name.replace('__op', ''), (a: tf.Tensor) => f(a), x),
  ),
  ...([tf.log, tf.log1p, tf.sqrt, tf.rsqrt, tf.reciprocal] as const).map((f) =>
    smooth(f.name.replace('__op', ''), (a: tf.Tensor) => f(a), positive),
  ),
  ...([tf.asin, tf.acos, tf.atanh, tf.tan] as const).map((f) =>
    smooth(f.name.replace('__op', ''), (a: tf.Tensor) => f(a), inside),
  ),
  smooth('acosh', (a: tf.Tensor) => tf.acosh(a), uniform(1.2, 3, [5])),
  smooth('leakyRelu', (a: tf.Tensor) => tf.leakyRelu(a, 0.3), x),
  smooth('prelu', (a: tf.Tensor, alpha: tf.Tensor) => tf.prelu(a, alpha), x, uniform(0.1, 0.5, [4])),
  smooth('clipByValue', (a: tf.Tensor) => tf.clipByValue(a, -0.5, 0.7), x),
  smooth('gelu', (a: tf.Tensor) => tf.mul(tf.mul(a, 0.5), tf.add(tf.erf(tf.div(a, Math.SQRT2)), 1)), x),
  smooth('silu', (a: tf.Tensor) => tf.mul(a, tf.sigmoid(a)), x),
  ...([tf.sign, tf.floor, tf.ceil, tf.round, tf.step] as const).map((f) =>
    flat(f.name.replace('__op', ''), (a: tf.Tensor) => f(a), x),
  ),
  flat('step with slope', (a: tf.Tensor) => tf.step(a, 0.25), x),
  flat(
    'round half to even',
    (a: tf.Tensor) => tf.round(a),
    host('float32', [6], (i) => i - 2.5),
  ),
  flat(
    'log1p near 0',
    (a: tf.Tensor) => tf.mul(tf.log1p(a), 1e6),
    host('float32', [4], (i) => 10 ** -(i + 4)),
  ),
  flat(
    'expm1 near 0',
    (a: tf.Tensor) => tf.mul(tf.expm1(a), 1e6),
    host('float32', [4], (i) => 10 ** -(i + 4)),
  ),
  flat(
    'softplus at the ends',
    (a: tf.Tensor) => tf.softplus(a),
    host('float32', [7], (i) => (i - 3) * 30),
  ),
  flat(
    'sigmoid at the ends',
    (a: tf.Tensor) => tf.sigmoid(a),
    host('float32', [7], (i) => (i - 3) * 30),
  ),
  flat('isNaN, isInf, isFinite', (a: tf.Tensor) => [tf.isNaN(a), tf.isInf(a), tf.isFinite(a)], {
    dtype: 'float32',
    shape: [4],
    data: Float32Array.of(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1),
  }),
  flat(
    'abs, neg, square, sign, relu of int32',
    (a: tf.Tensor) => [tf.abs(a), tf.neg(a), tf.square(a), tf.relu(a)],
    whole(-4, 5, [7]),
  ),
]

const pairs: [string, ReturnType<typeof normal>, ReturnType<typeof normal>][] = [
  ['same shape', normal([3, 4]), normal([3, 4], 2)],
  ['row', normal([2, 3, 4]), normal([4], 2)],
  ['column', normal([3, 1]), normal([3, 4], 2)],
  ['both ways', normal([3, 1, 2]), normal([1, 4, 2], 2)],
  ['scalar', normal([3, 4]), normal([], 2)],
]

const arithmetic = [tf.add, tf.sub, tf.mul, tf.maximum, tf.minimum, tf.squaredDifference] as const
const binary: Case[] = pairs.flatMap(([how, a, b]) => [
  ...arithmetic.map((f) =>
    smooth(`${f.name.replace('__op', '')} ${how}`, (p: tf.Tensor, q: tf.Tensor) => f(p, q), a, b),
  ),
  smooth(`div ${how}`, (p: tf.Tensor, q: tf.Tensor) => tf.div(p, tf.add(tf.abs(q), 1)), a, b),
  smooth(`pow ${how}`, (p: tf.Tensor, q: tf.Tensor) => tf.pow(tf.add(tf.abs(p), 0.5), q), a, b),
  smooth(`where ${how}`, (p: tf.Tensor, q: tf.Tensor) => tf.where(tf.greater(p, 0.1), p, q), a, b),
])

const numbers: Case[] = [
  ...[0, 1, 2, 3, -1, 0.5, 1.7].map((e) => smooth(`pow ${e}`, (a: tf.Tensor) => tf.pow(a, e), positive)),
  smooth('identities', (a: tf.Tensor) => tf.add(tf.sub(tf.mul(tf.div(a, 1), 1), 0), tf.zerosLike(a)), x),
  smooth('mul by broadcast one', (a: tf.Tensor) => tf.mul(a, tf.ones([2, 3, 4])), x),
  smooth('addN', (a: tf.Tensor, b: tf.Tensor) => tf.addN([a, b, a]), x, normal([3, 4], 2)),
  smooth('mod', (a: tf.Tensor) => tf.mod(a, 0.7), x),
  flat('mod of int32', (a: tf.Tensor, b: tf.Tensor) => tf.mod(a, b), whole(-9, 10, [8]), whole(1, 5, [8])),
  flat('floorDiv of int32', (a: tf.Tensor, b: tf.Tensor) => tf.floorDiv(a, b), whole(-9, 10, [8]), whole(1, 5, [8])),
  flat('div of int32', (a: tf.Tensor, b: tf.Tensor) => tf.div(a, b), whole(-9, 10, [8]), whole(1, 5, [8])),
  flat('floorDiv of float32', (a: tf.Tensor) => tf.floorDiv(a, tf.scalar(0.5)), x),
  flat('int32 with float32', (a: tf.Tensor, b: tf.Tensor) => tf.mul(a, b), whole(-9, 10, [3, 4]), x),
  flat(
    'int32 arithmetic',
    (a: tf.Tensor, b: tf.Tensor) => [
      tf.add(a, b),
      tf.sub(a, b),
      tf.mul(a, b),
      tf.maximum(a, b),
      tf.minimum(a, b),
      tf.pow(a, tf.abs(b)),
    ],
    whole(-4, 5, [6]),
    whole(-4, 5, [6], 2),
  ),
  ...([tf.equal, tf.notEqual, tf.less, tf.lessEqual, tf.greater, tf.greaterEqual] as const).flatMap((f) => [
    flat(
      `${f.name.replace('__op', '')} int32`,
      (a: tf.Tensor, b: tf.Tensor) => f(a, b),
      whole(0, 3, [4, 3]),
      whole(0, 3, [3], 2),
    ),
    flat(`${f.name.replace('__op', '')} float32`, (a: tf.Tensor, b: tf.Tensor) => f(a, b), x, normal([4], 2)),
    flat(`${f.name.replace('__op', '')} bool`, (a: tf.Tensor, b: tf.Tensor) => f(a, b), truth([6]), truth([6], 2)),
  ]),
  ...([tf.logicalAnd, tf.logicalOr, tf.logicalXor] as const).map((f) =>
    flat(f.name.replace('__op', ''), (a: tf.Tensor, b: tf.Tensor) => f(a, b), truth([4, 3]), truth([3], 2)),
  ),
  flat('logicalNot', (a: tf.Tensor) => tf.logicalNot(a), truth([4, 3])),
  flat(
    'where of bool and of int32',
    (c: tf.Tensor, a: tf.Tensor, b: tf.Tensor) => [tf.where(c, a, b), tf.where(c, tf.logicalNot(a), a)],
    truth([6]),
    truth([6], 2),
    truth([6], 3),
  ),
  flat('casts', (a: tf.Tensor) => [tf.cast(a, 'int32'), tf.cast(a, 'bool'), tf.cast(tf.cast(a, 'bool'), 'float32')], x),
  flat('casts of constants', () => [tf.cast(tf.fill([2, 2], 2.7), 'int32'), tf.cast(tf.scalar(3, 'int32'), 'bool')]),
]

for (const subject of [...unary, ...binary, ...numbers]) test(`elementwise: ${subject.name}`, assertCase, subject)

test(
  'elementwise: a gradient flows past a comparison',
  assertCase,
  smooth('relu by where', (a: tf.Tensor) => tf.where(tf.greater(a, 0), a, tf.mul(a, 0.1)), x),
)
