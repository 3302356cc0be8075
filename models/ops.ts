import * as tf from '@tensorflow/tfjs-core'

/**
 * The few operations of a Llama decoder that TF.js does not have. Each gives its own gradient: the ones derived op by op
 * would be two to three times as many graph nodes.
 */

/** y = w · x / √(mean(x²) + eps), over the last axis. x [N, C], gain [C] → [N, C]. Zhang & Sennrich 2019. */
export function rmsNorm(x: tf.Tensor2D, gain: tf.Tensor1D, eps: number): tf.Tensor2D {
  const op = tf.customGrad((...args) => {
    const [input, w, save] = args as unknown as [tf.Tensor2D, tf.Tensor1D, tf.GradSaveFunc]
    const scale = tf.rsqrt(tf.add(tf.mean(tf.square(input), 1, true), eps)) // [N, 1]
    const unit = tf.mul(input, scale)
    save([unit, scale, w])
    return {
      value: tf.mul(unit, w),
      gradFunc: (dy, saved) => {
        const [xhat, r, g] = saved as [tf.Tensor, tf.Tensor, tf.Tensor]
        const dxhat = tf.mul(dy, g)
        const along = tf.mean(tf.mul(dxhat, xhat), 1, true) // [N, 1]
        return [tf.mul(tf.sub(dxhat, tf.mul(xhat, along)), r), tf.sum(tf.mul(dy, xhat), 0)]
      },
    }
  })
  return op(x, gain) as tf.Tensor2D
}

/**
 * Cosines and signed sines of rotary positions 0 … length−1 for `heads` heads, each [length, heads·headDim]; `scale`
 * multiplies both. They repeat for every head, because ONNX Runtime broadcasts over short inner axes slowly (measured:
 * 3.3 times the time at head size 16).
 */
export function ropeTables(length: number, heads: number, headDim: number, theta: number, scale = 1) {
  const half = headDim / 2
  const cos = new Float32Array(length * heads * headDim)
  const sin = new Float32Array(length * heads * headDim)
  for (let position = 0; position < length; position++)
    for (let i = 0; i < half; i++) {
      const angle = position * theta ** (-i / half)
      for (let head = 0; head < heads; head++) {
        const at = (position * heads + head) * headDim + i
        cos[at] = cos[at + half] = Math.cos(angle) * scale
        sin[at] = -Math.sin(angle) * scale // the first half takes −x₂
        sin[at + half] = Math.sin(angle) * scale
      }
    }
  return { cos, sin }
}

/**
 * Rotary position embedding in Hugging Face's rotate-half convention: x·cos + [x₂, x₁]·signed sin, where x₁, x₂ are the
 * halves of the last axis. x [B, T, H, D]; cos, sin broadcast to it (no gradient reaches them).
 */
export function rope(x: tf.Tensor4D, cos: tf.Tensor, sin: tf.Tensor): tf.Tensor4D {
  const op = tf.customGrad((...args) => {
    const [input, save] = args as unknown as [tf.Tensor4D, tf.GradSaveFunc]
    save([cos, sin])
    return {
      value: rotate(input, cos, sin),
      gradFunc: (dy, saved) => rotate(dy, saved[0]!, tf.neg(saved[1]!)), // turned back by the same angle
    }
  })
  return op(x) as tf.Tensor4D
}

function rotate(x: tf.Tensor, cos: tf.Tensor, sin: tf.Tensor): tf.Tensor {
  const [first, second] = tf.split(x, 2, -1)
  return tf.add(tf.mul(x, cos), tf.mul(tf.concat([second!, first!], -1), sin))
}

/** silu(gate) · up, from one packed matrix. gateUp [N, 2·I] → [N, I]. Shazeer 2020. */
export function swiglu(gateUp: tf.Tensor2D): tf.Tensor2D {
  const op = tf.customGrad((...args) => {
    const [input, save] = args as unknown as [tf.Tensor2D, tf.GradSaveFunc]
    const [gate, up] = tf.split(input, 2, 1) as [tf.Tensor, tf.Tensor]
    const sigma = tf.sigmoid(gate)
    const silu = tf.mul(gate, sigma)
    save([up, sigma, silu])
    return {
      value: tf.mul(silu, up),
      gradFunc: (dy, saved) => {
        const [u, s, g] = saved as [tf.Tensor, tf.Tensor, tf.Tensor]
        // d silu = σ + silu·(1 − σ)
        const slope = tf.add(s, tf.sub(g, tf.mul(g, s)))
        return tf.concat([tf.mul(tf.mul(dy, u), slope), tf.mul(dy, g)], 1)
      },
    }
  })
  return op(gateUp) as tf.Tensor2D
}

/** log softmax(logits)[m, target m]. `flat` [M] holds m·V + target. logits [M, V] → [M]. */
export function pickLogprobs(logits: tf.Tensor2D, targets: tf.Tensor1D, flat: tf.Tensor1D): tf.Tensor1D {
  const op = tf.customGrad((...args) => {
    const [input, save] = args as unknown as [tf.Tensor2D, tf.GradSaveFunc]
    const logp = tf.logSoftmax(input) // [M, V]
    save([logp])
    return {
      value: tf.gather(tf.reshape(logp, [-1]), flat),
      gradFunc: (dy, saved) => {
        const [ls] = saved as [tf.Tensor2D]
        const hot = tf.oneHot(targets, ls.shape[1], 1, 0, 'float32')
        return tf.mul(tf.sub(hot, tf.exp(ls)), tf.expandDims(dy, 1))
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
