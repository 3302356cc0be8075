import * as tf from '@tensorflow/tfjs-core'
import { type GradientRule, unbroadcast } from './define.js'

const { matMul } = tf

/** d(op(a)·op(b)) for the four transpositions, summed over batches that one side shares. */
export const matmulGradient: GradientRule = {
  kernel: 'BatchMatMul',
  inputs: ['a', 'b'],
  gradient: (dy, saved, attrs) => {
    const [a, b] = saved as [tf.Tensor, tf.Tensor]
    const [transA, transB] = [attrs.transposeA === true, attrs.transposeB === true]
    const da = () => (transA ? matMul(b, dy, transB, true) : matMul(dy, b, false, !transB))
    const db = () => (transB ? matMul(dy, a, true, transA) : matMul(a, dy, !transA, false))
    return { a: () => unbroadcast(da(), a.shape), b: () => unbroadcast(db(), b.shape) }
  },
}
