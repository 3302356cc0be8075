import * as tf from '@tensorflow/tfjs-core'
import { axesOf, keptShape } from '../shapes.js'
import { type Attrs, flat, type GradientRule, ofInput } from './define.js'

const { broadcastTo, exp, mul, reshape, sub, sum } = tf

/** dy with the reduced axes put back as ones. */
function kept(dy: tf.Tensor, x: tf.Tensor, axis: unknown): tf.Tensor {
  return reshape(dy, keptShape(x.shape, axesOf(axis, x.shape.length)))
}

/** Every element that equals the extremum gets the whole of dy, as in TF.js. */
function extremum(kernel: 'Max' | 'Min', axisName: string): GradientRule {
  const gradient: GradientRule['gradient'] = (dy, saved, attrs) => {
    const [x, y] = saved as [tf.Tensor, tf.Tensor]
    const axis = attrs[axisName]
    const isChosen = tf.equal(x, kept(y, x, axis))
    return { x: () => mul(kept(dy, x, axis), tf.cast(isChosen, 'float32')) }
  }
  return { kernel, inputs: ['x'], output: true, gradient }
}

/** Π of all the others: the product before each element times the product after it, which also holds at zeros. */
function productGradient(dy: tf.Tensor, x: tf.Tensor, attrs: Attrs): tf.Tensor {
  const rank = x.shape.length
  const axes = axesOf(attrs.axis, rank)
  const others = x.shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis))
  const permuted = tf.transpose(x, [...others, ...axes])
  const rows = reshape(permuted, [-1, axes.reduce((size, axis) => size * (x.shape[axis] as number), 1)])
  const before = tf.cumprod(rows, 1, true, false)
  const after = tf.cumprod(rows, 1, true, true)
  const dRows = mul(reshape(dy, [-1, 1]), mul(before, after))
  const back = [...others, ...axes].map((_, i, perm) => perm.indexOf(i))
  return tf.transpose(reshape(dRows, permuted.shape), back)
}

export const reduceGradients: readonly GradientRule[] = [
  ofInput('Sum', (dy, x, attrs) => broadcastTo(kept(dy, x, attrs.axis), x.shape)),
  ofInput('Mean', (dy, x, attrs) => {
    const share = dy.size / x.size
    return broadcastTo(mul(kept(dy, x, attrs.axis), share), x.shape)
  }),
  ofInput('Prod', productGradient),
  extremum('Max', 'reductionIndices'),
  extremum('Min', 'axis'),
  {
    kernel: 'Softmax',
    output: true,
    gradient: (dy, [y], { dim }) => {
      const weighted = mul(dy, y as tf.Tensor)
      return { logits: () => sub(weighted, mul(sum(weighted, [dim as number], true), y as tf.Tensor)) }
    },
  },
  {
    kernel: 'LogSoftmax',
    output: true,
    gradient: (dy, [y], { axis }) => ({
      logits: () => sub(dy, mul(sum(dy, axis as number, true), exp(y as tf.Tensor))),
    }),
  },
  {
    kernel: 'Cumsum',
    gradient: (dy, _saved, { axis, exclusive, reverse }) => ({
      x: () => tf.cumsum(dy, axis as number, exclusive as boolean, !reverse),
    }),
  },
  ...['ArgMax', 'ArgMin', 'All', 'Any'].map((kernel) => flat(kernel, ['x'])),
]
