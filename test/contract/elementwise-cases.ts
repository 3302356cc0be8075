import * as tf from '@tensorflow/tfjs-core'
import { host, normal, truth, uniform, whole } from '../runtime/tensor/support.js'
import { each, erf, flat, type KernelCase, smooth } from './cases.js'

const x = normal([2, 5])
const y = normal([5], 2)
const inside = uniform(-0.6, 0.6, [5])
const positive = uniform(0.3, 3, [5])
const counts = whole(-4, 5, [6])
const odd = { dtype: 'float32', shape: [4], data: Float32Array.of(Number.NaN, Infinity, -Infinity, 1) } as const
const sigmoid = (v: number) => 1 / (1 + Math.exp(-v))
const [alpha, scale] = [1.6732632423543772, 1.0507009873554805]

const selfMade = (name: string, inputs: tf.NamedTensorMap) => tf.engine().runKernel(name, inputs) as tf.Tensor

const unary = (
  [
    ['Acos', tf.acos, Math.acos, inside],
    ['Acosh', tf.acosh, Math.acosh, uniform(1.2, 3, [5])],
    ['Asin', tf.asin, Math.asin, inside],
    ['Asinh', tf.asinh, Math.asinh, x],
    ['Atan', tf.atan, Math.atan, x],
    ['Atanh', tf.atanh, Math.atanh, inside],
    ['Cos', tf.cos, Math.cos, x],
    ['Cosh', tf.cosh, Math.cosh, x],
    ['Erf', tf.erf, erf, x],
    ['Exp', tf.exp, Math.exp, x],
    ['Log', tf.log, Math.log, positive],
    ['Sigmoid', tf.sigmoid, sigmoid, x],
    ['Sin', tf.sin, Math.sin, x],
    ['Sinh', tf.sinh, Math.sinh, x],
    ['Sqrt', tf.sqrt, Math.sqrt, positive],
    ['Tan', tf.tan, Math.tan, inside],
    ['Tanh', tf.tanh, Math.tanh, x],
    ['Reciprocal', tf.reciprocal, (v: number) => 1 / v, positive],
    ['Elu', tf.elu, (v: number) => (v > 0 ? v : Math.expm1(v)), x],
    ['Selu', tf.selu, (v: number) => scale * (v > 0 ? v : alpha * Math.expm1(v)), x],
    ['Abs', tf.abs, Math.abs, x],
    ['Neg', tf.neg, (v: number) => -v, x],
    ['Log1p', tf.log1p, Math.log1p, positive],
    ['Expm1', tf.expm1, Math.expm1, x],
    ['Softplus', tf.softplus, (v: number) => Math.log1p(Math.exp(v)), x],
    ['Rsqrt', tf.rsqrt, (v: number) => 1 / Math.sqrt(v), positive],
    ['Square', tf.square, (v: number) => v * v, x],
    ['Relu', tf.relu, (v: number) => Math.max(v, 0), x],
    ['Relu6', tf.relu6, (v: number) => Math.min(6, Math.max(v, 0)), uniform(-3, 9, [7])],
    ['LeakyRelu', (a: tf.Tensor) => tf.leakyRelu(a, 0.3), (v: number) => (v > 0 ? v : 0.3 * v), x],
    ['ClipByValue', (a: tf.Tensor) => tf.clipByValue(a, -0.5, 0.7), (v: number) => Math.min(0.7, Math.max(-0.5, v)), x],
    ['Identity', tf.clone, (v: number) => v, x],
  ] as const
).map(([kernel, fn, reference, input]) => smooth(kernel, fn as KernelCase['fn'], each(reference), input))

const steps = (
  [
    ['Sign', tf.sign, Math.sign, x],
    ['Floor', tf.floor, Math.floor, x],
    ['Ceil', tf.ceil, Math.ceil, x],
    ['Round', tf.round, Math.round, x],
    ['IsNan', tf.isNaN, (v: number) => Number(Number.isNaN(v)), odd],
    ['IsInf', tf.isInf, (v: number) => Number(Math.abs(v) === Infinity), odd],
    ['IsFinite', tf.isFinite, (v: number) => Number(Number.isFinite(v)), odd],
    ['Step', (a: tf.Tensor) => tf.step(a, 0.25), (v: number) => (v > 0 ? 1 : 0.25), x],
    ['Cast', (a: tf.Tensor) => tf.cast(a, 'int32'), Math.trunc, x],
    ['ZerosLike', tf.zerosLike, () => 0, x],
    ['OnesLike', tf.onesLike, () => 1, x],
    ['LogicalNot', tf.logicalNot, (v: number) => 1 - v, truth([6])],
  ] as const
).map(([kernel, fn, reference, input]) => flat(kernel, fn as KernelCase['fn'], each(reference), input))

const binary = (
  [
    ['Add', tf.add, (a: number, b: number) => a + b],
    ['Sub', tf.sub, (a: number, b: number) => a - b],
    ['Multiply', tf.mul, (a: number, b: number) => a * b],
    ['Maximum', tf.maximum, Math.max],
    ['Minimum', tf.minimum, Math.min],
    ['SquaredDifference', tf.squaredDifference, (a: number, b: number) => (a - b) ** 2],
  ] as const
).map(([kernel, fn, reference]) => smooth(kernel, fn as KernelCase['fn'], each(reference), x, y))

const comparisons = (
  [
    ['Equal', tf.equal, (a: number, b: number) => a === b],
    ['NotEqual', tf.notEqual, (a: number, b: number) => a !== b],
    ['Less', tf.less, (a: number, b: number) => a < b],
    ['LessEqual', tf.lessEqual, (a: number, b: number) => a <= b],
    ['Greater', tf.greater, (a: number, b: number) => a > b],
    ['GreaterEqual', tf.greaterEqual, (a: number, b: number) => a >= b],
  ] as const
).map(([kernel, fn, test]) =>
  flat(
    kernel,
    fn as KernelCase['fn'],
    each((a, b) => Number(test(a, b))),
    whole(0, 3, [4, 3]),
    whole(0, 3, [3], 2),
  ),
)

const logic = (
  [
    ['LogicalAnd', tf.logicalAnd, (a: number, b: number) => a & b],
    ['LogicalOr', tf.logicalOr, (a: number, b: number) => a | b],
    ['LogicalXor', tf.logicalXor, (a: number, b: number) => a ^ b],
  ] as const
).map(([kernel, fn, reference]) => flat(kernel, fn as KernelCase['fn'], each(reference), truth([4, 3]), truth([3], 2)))

const others: KernelCase[] = [
  smooth(
    'RealDiv',
    tf.div as KernelCase['fn'],
    each((a, b) => a / b),
    x,
    positive,
  ),
  smooth(
    'Mod',
    tf.mod as KernelCase['fn'],
    each((a, b) => a - Math.floor(a / b) * b),
    x,
    uniform(1, 2, [5]),
  ),
  smooth(
    'Pow',
    tf.pow as KernelCase['fn'],
    each((a, b) => a ** b),
    uniform(0.3, 3, [2, 5]),
    y,
  ),
  flat(
    'FloorDiv',
    tf.floorDiv as KernelCase['fn'],
    each((a, b) => Math.floor(a / b)),
    counts,
    host('int32', [6], (i) => [3, -2, 2, 1, -3, 4][i]!),
  ),
  smooth(
    'Prelu',
    tf.prelu as KernelCase['fn'],
    each((a, b) => (a > 0 ? a : a * b)),
    x,
    uniform(0.1, 0.5, [5]),
  ),
  // more operands than a shader has buffers for
  smooth(
    'AddN',
    (a: tf.Tensor, b: tf.Tensor) => tf.addN([...new Array<tf.Tensor>(9).fill(a), ...new Array<tf.Tensor>(9).fill(b)]),
    each((a, b) => 9 * a + 9 * b),
    x,
    normal([2, 5], 2),
  ),
  smooth(
    'AddN',
    (a: tf.Tensor, b: tf.Tensor) => tf.addN([a, b, a]),
    each((a, b) => 2 * a + b),
    x,
    normal([2, 5], 2),
  ),
  smooth(
    'Select',
    tf.where as KernelCase['fn'],
    (c, a, b) => [c.map((v, i) => (v ? a[i]! : b[i]!))],
    truth([2, 5]),
    x,
    normal([2, 5], 2),
  ),
  flat(
    'EluGrad',
    (dy: tf.Tensor, v: tf.Tensor) => selfMade('EluGrad', { dy, y: v }),
    each((dy, v) => dy * (v >= 0 ? 1 : v + 1)),
    x,
    uniform(-0.9, 2, [2, 5], 4),
  ),
]

export const elementwiseCases = [...unary, ...steps, ...binary, ...comparisons, ...logic, ...others]
