import * as tf from '@tensorflow/tfjs-core'
import { flat, type GradientRule, ofInput, ofOutput } from './define.js'

const { add, div, exp, mul, neg, sigmoid, sqrt, square, sub } = tf

/** dy where `condition`, 0 elsewhere. */
function where(condition: tf.Tensor, dy: tf.Tensor): tf.Tensor {
  return tf.where(condition, dy, tf.zerosLike(dy))
}

const oneMinusSquare = (x: tf.Tensor) => sub(1, square(x))
const isInside = (x: tf.Tensor, low: number, high: number) =>
  tf.logicalAnd(tf.greaterEqual(x, low), tf.lessEqual(x, high))

/** Selu's α and λ, of Klambauer et al. 2017. */
const SELU = { alpha: 1.6732632423543772, scale: 1.0507009873554805 }

/** d f(x) / dx for the kernels of one operand that work element by element. */
export const unaryGradients: readonly GradientRule[] = [
  ofInput('Abs', (dy, x) => mul(dy, tf.sign(x))),
  ofInput('Square', (dy, x) => mul(dy, mul(x, 2))),
  ofInput('Log', (dy, x) => div(dy, x)),
  ofInput('Log1p', (dy, x) => div(dy, add(x, 1))),
  ofInput('Softplus', (dy, x) => mul(dy, sigmoid(x))),
  ofInput('Sin', (dy, x) => mul(dy, tf.cos(x))),
  ofInput('Cos', (dy, x) => neg(mul(dy, tf.sin(x)))),
  ofInput('Tan', (dy, x) => div(dy, square(tf.cos(x)))),
  ofInput('Asin', (dy, x) => div(dy, sqrt(oneMinusSquare(x)))),
  ofInput('Acos', (dy, x) => neg(div(dy, sqrt(oneMinusSquare(x))))),
  ofInput('Atan', (dy, x) => div(dy, add(square(x), 1))),
  ofInput('Sinh', (dy, x) => mul(dy, tf.cosh(x))),
  ofInput('Cosh', (dy, x) => mul(dy, tf.sinh(x))),
  ofInput('Asinh', (dy, x) => div(dy, sqrt(add(square(x), 1)))),
  ofInput('Acosh', (dy, x) => div(dy, sqrt(sub(square(x), 1)))),
  ofInput('Atanh', (dy, x) => div(dy, oneMinusSquare(x))),
  ofInput('Erf', (dy, x) => mul(dy, mul(exp(neg(square(x))), 2 / Math.sqrt(Math.PI)))),
  ofInput('Relu', (dy, x) => where(tf.greater(x, 0), dy)),
  ofInput('Relu6', (dy, x) => where(tf.logicalAnd(tf.greater(x, 0), tf.less(x, 6)), dy)),
  ofInput('LeakyRelu', (dy, x, attrs) => tf.where(tf.greater(x, 0), dy, mul(dy, attrs.alpha as number))),
  ofInput('Selu', (dy, x) => {
    const below = mul(exp(x), SELU.alpha)
    return mul(dy, mul(tf.where(tf.greater(x, 0), tf.onesLike(x), below), SELU.scale))
  }),
  ofInput('ClipByValue', (dy, x, attrs) =>
    where(isInside(x, attrs.clipValueMin as number, attrs.clipValueMax as number), dy),
  ),
  ofOutput('Exp', (dy, y) => mul(dy, y)),
  ofOutput('Expm1', (dy, y) => mul(dy, add(y, 1))),
  ofOutput('Sqrt', (dy, y) => div(dy, mul(y, 2))),
  ofOutput('Rsqrt', (dy, y) => mul(dy, mul(tf.pow(y, 3), -0.5))),
  ofOutput('Reciprocal', (dy, y) => neg(mul(dy, square(y)))),
  ofOutput('Sigmoid', (dy, y) => mul(dy, mul(y, sub(1, y)))),
  ofOutput('Tanh', (dy, y) => mul(dy, oneMinusSquare(y))),
  ofOutput('Elu', (dy, y) => mul(dy, add(tf.minimum(y, 0), 1))),
  { kernel: 'Neg', gradient: (dy) => ({ x: () => neg(dy) }) },
  { kernel: 'Identity', gradient: (dy) => ({ x: () => tf.cast(dy, 'float32') }) },
  { kernel: 'Cast', gradient: (dy) => ({ x: () => tf.cast(dy, 'float32') }) },
  ...[
    'Sign',
    'Floor',
    'Ceil',
    'Round',
    'Step',
    'ZerosLike',
    'OnesLike',
    'LogicalNot',
    'IsNan',
    'IsInf',
    'IsFinite',
  ].map((kernel) => flat(kernel, ['x'])),
]
