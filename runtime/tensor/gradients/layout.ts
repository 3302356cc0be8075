import * as tf from '@tensorflow/tfjs-core'
import { axesOf } from '../shapes.js'
import { type GradientRule, ofInput, unbroadcast } from './define.js'

const { reshape } = tf

/** What was cut off is given back as zeros around dy. */
function around(dy: tf.Tensor, x: tf.Tensor, begin: readonly number[]): tf.Tensor {
  const after = (axis: number) => (x.shape[axis] as number) - (begin[axis] as number) - (dy.shape[axis] as number)
  return tf.pad(
    dy,
    begin.map((before, axis) => [before, after(axis)] as [number, number]),
  )
}

export const layoutGradients: readonly GradientRule[] = [
  ofInput('Reshape', (dy, x) => reshape(dy, x.shape)),
  ofInput('BroadcastTo', unbroadcastTo),
  ofInput('Tile', (dy, x, { reps }) => {
    const { shape, summed } = repetitions(x.shape, reps as number[])
    return reshape(tf.sum(reshape(dy, shape), summed), x.shape)
  }),
  ofInput('Slice', (dy, x, { begin, size }) => {
    const [from] = tf.slice_util.parseSliceParams(x, begin as number[], size as number[])
    return around(dy, x, from as number[])
  }),
  ofInput('PadV2', (dy, x, { paddings }) =>
    tf.slice(
      dy,
      (paddings as [number, number][]).map((pair) => pair[0]),
      x.shape,
    ),
  ),
  {
    kernel: 'ExpandDims',
    inputs: ['input'],
    gradient: (dy, [x]) => ({ input: () => reshape(dy, (x as tf.Tensor).shape) }),
  },
  {
    kernel: 'Transpose',
    gradient: (dy, _saved, { perm }) => {
      const inverse = (perm as number[]).map((_, axis) => (perm as number[]).indexOf(axis))
      return { x: () => tf.transpose(dy, inverse) }
    },
  },
  {
    kernel: 'Reverse',
    gradient: (dy, _saved, { dims }) => ({ x: () => tf.reverse(dy, axesOf(dims, dy.shape.length)) }),
  },
]

/** dy's shape with each repetition on an axis of its own, in as few axes as that takes: GPU kernels end at rank 6. */
function repetitions(dims: readonly number[], reps: readonly number[]): { shape: number[]; summed: number[] } {
  const shape: number[] = [1]
  const summed: number[] = []
  dims.forEach((dim, axis) => {
    const times = reps[axis] as number
    if (times === 1) shape.push((shape.pop() as number) * dim)
    else {
      summed.push(shape.length)
      shape.push(times, dim)
    }
  })
  return { shape, summed }
}

function unbroadcastTo(dy: tf.Tensor, x: tf.Tensor): tf.Tensor {
  return unbroadcast(dy, x.shape)
}

/** Kernels that take or give lists. */
export const listGradients: readonly tf.GradConfig[] = [
  {
    kernelName: 'Concat',
    saveAllInputs: true,
    gradFunc: (dy, saved, attrs) => {
      const axis = axesOf(attrs.axis, (saved[0] as tf.Tensor).rank)[0] as number
      const sizes = saved.map((tensor) => tensor.shape[axis] as number)
      const pieces = tf.split(dy as tf.Tensor, sizes, axis)
      return Object.fromEntries(pieces.map((piece, i) => [i, () => piece]))
    },
  },
  {
    kernelName: 'Pack',
    saveAllInputs: true,
    gradFunc: (dy, _saved, attrs) => {
      const pieces = tf.unstack(dy as tf.Tensor, attrs.axis as unknown as number)
      return Object.fromEntries(pieces.map((piece, i) => [i, () => piece]))
    },
  },
  {
    kernelName: 'Unpack',
    gradFunc: (dy, _saved, attrs) => ({ value: () => tf.stack(dy as tf.Tensor[], attrs.axis as unknown as number) }),
  },
  {
    kernelName: 'SplitV',
    gradFunc: (dy, _saved, attrs) => ({ x: () => tf.concat(dy as tf.Tensor[], attrs.axis as unknown as number) }),
  },
]
