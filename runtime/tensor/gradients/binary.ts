import * as tf from '@tensorflow/tfjs-core'
import { flat, type GradientRule, unbroadcast } from './define.js'

const { add, cast, div, log, mul, neg, pow, square, sub, where, zerosLike } = tf

type Side = (dy: tf.Tensor, a: tf.Tensor, b: tf.Tensor) => tf.Tensor

/** da and db of a kernel that broadcasts. */
function sides(kernel: string, da: Side, db: Side): GradientRule {
  const gradient: GradientRule['gradient'] = (dy, saved) => {
    const [a, b] = saved as [tf.Tensor, tf.Tensor]
    return { a: () => unbroadcast(da(dy, a, b), a.shape), b: () => unbroadcast(db(dy, a, b), b.shape) }
  }
  return { kernel, inputs: ['a', 'b'], gradient }
}

const float = (x: tf.Tensor) => cast(x, 'float32')
const gated = (dy: tf.Tensor, condition: tf.Tensor) => where(condition, dy, zerosLike(dy))
const comparisons = ['Equal', 'NotEqual', 'Less', 'LessEqual', 'Greater', 'GreaterEqual']

/** Gradients of the kernels of several operands. Ties of Maximum and Minimum go to the first operand. */
export const binaryGradients: readonly GradientRule[] = [
  sides(
    'Add',
    (dy) => dy,
    (dy) => dy,
  ),
  sides(
    'Sub',
    (dy) => dy,
    (dy) => neg(dy),
  ),
  sides(
    'Multiply',
    (dy, _a, b) => mul(dy, float(b)),
    (dy, a) => mul(dy, float(a)),
  ),
  sides(
    'RealDiv',
    (dy, _a, b) => div(dy, float(b)),
    (dy, a, b) => neg(div(mul(dy, float(a)), square(float(b)))),
  ),
  sides(
    'Maximum',
    (dy, a, b) => gated(dy, tf.greaterEqual(a, b)),
    (dy, a, b) => gated(dy, tf.less(a, b)),
  ),
  sides(
    'Minimum',
    (dy, a, b) => gated(dy, tf.lessEqual(a, b)),
    (dy, a, b) => gated(dy, tf.greater(a, b)),
  ),
  sides(
    'SquaredDifference',
    (dy, a, b) => mul(dy, mul(sub(a, b), 2)),
    (dy, a, b) => mul(dy, mul(sub(b, a), 2)),
  ),
  sides(
    'Mod',
    (dy) => dy,
    (dy, a, b) => neg(mul(dy, tf.floor(div(a, b)))),
  ),
  sides(
    'Atan2',
    (dy, a, b) => mul(dy, div(b, add(square(a), square(b)))),
    (dy, a, b) => neg(mul(dy, div(a, add(square(a), square(b))))),
  ),
  {
    kernel: 'Pow',
    inputs: ['a', 'b'],
    output: true,
    gradient: (dy, saved) => {
      const [a, b, y] = saved as [tf.Tensor, tf.Tensor, tf.Tensor]
      const exponent = float(b)
      const da = () => mul(dy, mul(exponent, pow(a, sub(exponent, 1))))
      const db = () => mul(dy, mul(y, where(tf.greater(a, 0), log(a), zerosLike(a))))
      return { a: () => unbroadcast(da(), a.shape), b: () => unbroadcast(db(), b.shape) }
    },
  },
  {
    kernel: 'Prelu',
    inputs: ['x', 'alpha'],
    gradient: (dy, saved) => {
      const [x, alpha] = saved as [tf.Tensor, tf.Tensor]
      const isPositive = tf.greater(x, 0)
      return {
        x: () => where(isPositive, dy, mul(dy, alpha)),
        alpha: () => unbroadcast(where(isPositive, zerosLike(dy), mul(dy, x)), alpha.shape),
      }
    },
  },
  {
    kernel: 'Select',
    inputs: ['condition'],
    gradient: (dy, saved) => {
      const [condition] = saved as [tf.Tensor]
      return {
        condition: () => tf.zeros(condition.shape),
        t: () => gated(dy, condition),
        e: () => where(condition, zerosLike(dy), dy),
      }
    },
  },
  ...[...comparisons, 'FloorDiv', 'LogicalAnd', 'LogicalOr', 'LogicalXor'].map((kernel) => flat(kernel, ['a', 'b'])),
]

/** AddN takes a list, so its gradient is keyed by position. */
export const addN: tf.GradConfig = {
  kernelName: 'AddN',
  saveAllInputs: true,
  gradFunc: (dy, saved) => Object.fromEntries(saved.map((_, i) => [i, () => tf.clone(dy as tf.Tensor)])),
}
