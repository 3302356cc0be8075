import * as tf from '@tensorflow/tfjs-core'
import { fused } from '../runtime/tensor/fused.js'

/**
 * The few operations of a Llama decoder that TF.js does not have. Each gives its own gradient: the ones derived op by op
 * would be two to three times as many graph nodes.
 */

/** y = w · x / √(mean(x²) + eps), over the last axis. x [N, C], gain [C] → [N, C]. Zhang & Sennrich 2019. */
export function rmsNorm(x: tf.Tensor2D, gain: tf.Tensor1D, eps: number): tf.Tensor2D {
  const op = tf.customGrad((...args) => {
    const [input, w, save] = args as unknown as [tf.Tensor2D, tf.Tensor1D, tf.GradSaveFunc]
    const [value, scale] = fused('TroupeRmsNorm', { x: input, gain: w }, { eps }, () => {
      const r = tf.rsqrt(tf.add(tf.mean(tf.square(input), 1, true), eps)) // [N, 1]
      return [tf.mul(tf.mul(input, r), w), r]
    }) as [tf.Tensor, tf.Tensor]
    save([input, scale, w])
    return {
      value,
      gradFunc: (dy, saved) => {
        const [h, r, g] = saved as [tf.Tensor2D, tf.Tensor2D, tf.Tensor1D]
        // With s = dy·x: dw = Σ_rows r·s, and dx = r·(dy·w) − x·r³·(s·w)/C. The sums are products with a vector.
        const s = tf.mul(dy, h) as tf.Tensor2D // [N, C]
        const along = tf.matMul(s, tf.reshape(g, [-1, 1])) // [N, 1]
        const pull = tf.mul(along, tf.mul(tf.mul(r, tf.square(r)), 1 / h.shape[1]))
        const dx = tf.sub(tf.mul(tf.mul(dy, g), r), tf.mul(h, pull))
        return [dx, tf.reshape(tf.matMul(r, s, true), g.shape)]
      },
    }
  })
  return op(x, gain) as tf.Tensor2D
}

/** silu(gate) · up. Both [N, I] → [N, I]. Shazeer 2020. */
export function swiglu(gate: tf.Tensor2D, up: tf.Tensor2D): tf.Tensor2D {
  const op = tf.customGrad((...args) => {
    const [g, u, save] = args as unknown as [tf.Tensor2D, tf.Tensor2D, tf.GradSaveFunc]
    const silu = fused('TroupeSilu', { x: g }, {}, () => [tf.mul(g, tf.sigmoid(g))])[0] as tf.Tensor
    save([g, u, silu])
    return {
      value: tf.mul(silu, u),
      gradFunc: (dy, saved) => {
        const [x, up_, a] = saved as [tf.Tensor, tf.Tensor, tf.Tensor]
        const s = tf.sigmoid(x)
        const slope = tf.add(s, tf.sub(a, tf.mul(a, s))) // d silu = σ + silu·(1 − σ)
        return [tf.mul(tf.mul(dy, up_), slope), tf.mul(dy, a)]
      },
    }
  })
  return op(gate, up) as tf.Tensor2D
}

/**
 * log softmax(logits)[m, target m]. `flat` [M] holds m·V + target. logits [M, V] → [M]. One matrix of that size is kept for
 * the way back, and the gradient is worked out in its place.
 */
export function pickLogprobs(logits: tf.Tensor2D, targets: tf.Tensor1D, flat: tf.Tensor1D): tf.Tensor1D {
  const op = tf.customGrad((...args) => {
    const [input, save] = args as unknown as [tf.Tensor2D, tf.GradSaveFunc]
    const logp = tf.logSoftmax(input) // [M, V]
    save([logp, targets])
    return {
      value: tf.gather(tf.reshape(logp, [-1]), flat),
      gradFunc: (dy, saved) => {
        const [ls, places] = saved as [tf.Tensor2D, tf.Tensor1D]
        const spread = tf.mul(tf.exp(ls), tf.expandDims(tf.neg(dy), 1))
        const plain = () => [tf.add(spread, tf.mul(tf.oneHot(places, ls.shape[1]), tf.expandDims(dy, 1)))]
        return fused('TroupePlaceRows', { x: spread, targets: places, values: dy }, {}, plain)[0] as tf.Tensor
      },
    }
  })
  return op(logits) as tf.Tensor1D
}

/**
 * Rows of x by index, where the index one past the end reads zeros; `back` is the same map seen from x (for each row of
 * x, which row of the result holds it, or one past the end): the gradient is a gather too, not a scatter.
 * x [N, …] , index [M], back [N] → [M, …].
 */
export function moveRows(x: tf.Tensor, index: tf.Tensor1D, back: tf.Tensor1D): tf.Tensor {
  const op = tf.customGrad((...args) => {
    const [input] = args as unknown as [tf.Tensor]
    return { value: gatherOrZero(input, index), gradFunc: (dy) => gatherOrZero(dy, back) }
  })
  return op(x)
}

function gatherOrZero(x: tf.Tensor, index: tf.Tensor1D): tf.Tensor {
  const zero = tf.zeros([1, ...x.shape.slice(1)])
  return tf.gather(tf.concat([x, zero], 0), index)
}
