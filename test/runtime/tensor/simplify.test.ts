import * as tf from '@tensorflow/tfjs-core'
import test from 'ava'
import { encodeModel } from '../../../runtime/tensor/onnx-model.js'
import { trace } from '../../../runtime/tensor/trace-backend.js'
import { assertCase, type Case, normal, smooth } from './support.js'

const [a, b, c, row] = [normal([5, 4]), normal([4, 3], 2), normal([5, 3], 3), normal([3], 4)]
const stack = normal([2, 5, 4], 5)
const other = normal([2, 4, 3], 6)
const { add, matMul, mul, reshape } = tf

const cases: Case[] = [
  smooth('a sum goes into the product', (x: tf.Tensor, y: tf.Tensor, z: tf.Tensor) => add(z, matMul(x, y)), a, b, c),
  smooth('a row is added to every row', (x: tf.Tensor, y: tf.Tensor, z: tf.Tensor) => add(matMul(x, y), z), a, b, row),
  smooth('sum of two products', (x: tf.Tensor, y: tf.Tensor) => add(matMul(x, y), matMul(mul(x, 2), y)), a, b),
  smooth(
    'a product that is also read',
    (x: tf.Tensor, y: tf.Tensor, z: tf.Tensor) => [add(matMul(x, y), z), matMul(x, y)],
    a,
    b,
    c,
  ),
  smooth('added to itself', (x: tf.Tensor, y: tf.Tensor) => add(matMul(x, y), matMul(x, y)), a, b),
  smooth('a factor in front', (x: tf.Tensor, y: tf.Tensor) => mul(matMul(x, y), 0.25), a, b),
  smooth('factors inside and outside', (x: tf.Tensor, y: tf.Tensor) => mul(matMul(mul(x, 3), mul(-2, y)), 0.5), a, b),
  smooth('a factor before a sum', (x: tf.Tensor, y: tf.Tensor, z: tf.Tensor) => add(mul(matMul(x, y), 4), z), a, b, c),
  smooth('a factor after a sum', (x: tf.Tensor, y: tf.Tensor, z: tf.Tensor) => mul(add(matMul(x, y), z), 4), a, b, c),
  smooth('batches', (x: tf.Tensor, y: tf.Tensor) => mul(matMul(x, mul(y, 2)), 3), stack, other),
  smooth(
    'a wider sum',
    (x: tf.Tensor, y: tf.Tensor, z: tf.Tensor) => add(matMul(x, y), reshape(z, [1, 5, 3])),
    a,
    b,
    c,
  ),
]

for (const subject of cases) test(`products take over: ${subject.name}`, (t) => assertCase(t, subject))

test('a factor and a sum cost no operation of their own', (t) => {
  const fn = ([x, y, z]: tf.Tensor[]) => [add(mul(matMul(x!, y!), 2), z!)]
  const { graph, outputs } = trace(fn, [a, b, c], 1)
  const text = Buffer.from(encodeModel(graph, outputs, 'sum')).toString('latin1')
  t.regex(text, /Gemm/)
  t.notRegex(text, /Add|Mul/)
})
