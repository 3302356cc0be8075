import * as tf from '@tensorflow/tfjs-core'
import { axesOf, sizeOf } from '../shapes.js'
import { flat, type GradientRule } from './define.js'

const { reshape, transpose, unsortedSegmentSum } = tf

export const indexingGradients: readonly GradientRule[] = [
  {
    kernel: 'GatherV2',
    inputs: ['x', 'indices'],
    gradient: (dy, saved, attrs) => {
      const [x, indices] = saved as [tf.Tensor, tf.Tensor]
      const axis = axesOf(attrs.axis, x.rank)[0] as number
      const dx = () => (attrs.batchDims ? batched(dy, x, indices, axis) : scattered(dy, x, indices, axis))
      return { x: dx, indices: () => tf.zeros(indices.shape) }
    },
  },
  {
    kernel: 'GatherNd',
    inputs: ['params', 'indices'],
    gradient: (dy, saved) => {
      const [params, indices] = saved as [tf.Tensor, tf.Tensor]
      return {
        params: () => tf.scatterND(indices, dy, params.shape),
        indices: () => tf.zeros(indices.shape),
      }
    },
  },
  {
    kernel: 'ScatterNd',
    inputs: ['indices'],
    gradient: (dy, [indices]) => ({
      updates: () => tf.gatherND(dy, indices as tf.Tensor),
      indices: () => tf.zeros((indices as tf.Tensor).shape),
    }),
  },
  {
    kernel: 'UnsortedSegmentSum',
    inputs: ['segmentIds'],
    gradient: (dy, saved, { numSegments }) => {
      const [ids] = saved as [tf.Tensor1D]
      const isKept = tf.logicalAnd(tf.greaterEqual(ids, 0), tf.less(ids, numSegments as number))
      const rows = tf.gather(dy, tf.where(isKept, ids, tf.zerosLike(ids)))
      const mask = reshape(tf.cast(isKept, 'float32'), [ids.size, ...dy.shape.slice(1).map(() => 1)])
      return { x: () => tf.mul(rows, mask), segmentIds: () => tf.zeros(ids.shape) }
    },
  },
  flat('OneHot', ['indices']),
]

/** dy's rows added up where they were read: x [outer, axis, inner], dy [outer, indices, inner]. */
function scattered(dy: tf.Tensor, x: tf.Tensor, indices: tf.Tensor, axis: number): tf.Tensor {
  const outer = sizeOf(x.shape.slice(0, axis))
  const inner = sizeOf(x.shape.slice(axis + 1))
  const rows = transpose(reshape(dy, [outer, indices.size, inner]), [1, 0, 2])
  const sums = unsortedSegmentSum(rows, reshape(indices, [indices.size]), x.shape[axis] as number)
  return reshape(transpose(sums, [1, 0, 2]), x.shape)
}

/** The same with one list of indices for each leading position; only for `axis` equal to the number of batch axes. */
function batched(dy: tf.Tensor, x: tf.Tensor, indices: tf.Tensor, axis: number): tf.Tensor {
  const batch = sizeOf(x.shape.slice(0, axis))
  const count = x.shape[axis] as number
  const inner = sizeOf(x.shape.slice(axis + 1))
  const offsets = tf.mul(reshape(tf.range(0, batch, 1, 'int32'), [batch, 1]), tf.scalar(count, 'int32'))
  const flatIds = reshape(tf.add(reshape(indices, [batch, -1]), offsets), [indices.size])
  const rows = reshape(dy, [indices.size, inner])
  return reshape(unsortedSegmentSum(rows, flatIds as tf.Tensor1D, batch * count), x.shape)
}
