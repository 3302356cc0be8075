import * as tf from '@tensorflow/tfjs-core'
import type { Gelu } from './config.js'

/** The operations of GPT-2 and GPT-NeoX that TF.js does not have, each with its own gradient, as in `ops.ts`. */

/** y = w · (x − mean) / √(variance + eps) + b, over the last axis. x [N, C], gain and bias [C] → [N, C]. Ba et al. 2016. */
export function layerNorm(x: tf.Tensor2D, gain: tf.Tensor1D, bias: tf.Tensor1D, eps: number): tf.Tensor2D {
  const op = tf.customGrad((...args) => {
    const [input, w, b, save] = args as unknown as [tf.Tensor2D, tf.Tensor1D, tf.Tensor1D, tf.GradSaveFunc]
    const centred = tf.sub(input, tf.mean(input, 1, true))
    const scale = tf.rsqrt(tf.add(tf.mean(tf.square(centred), 1, true), eps)) // [N, 1]
    const unit = tf.mul(centred, scale)
    save([unit, scale, w])
    return {
      value: tf.add(tf.mul(unit, w), b),
      gradFunc: (dy, saved) => {
        const [xhat, r, g] = saved as [tf.Tensor, tf.Tensor, tf.Tensor]
        const dxhat = tf.mul(dy, g)
        const along = tf.mean(tf.mul(dxhat, xhat), 1, true) // [N, 1]
        const dx = tf.mul(tf.sub(tf.sub(dxhat, tf.mean(dxhat, 1, true)), tf.mul(xhat, along)), r)
        return [dx, tf.sum(tf.mul(dy, xhat), 0), tf.sum(dy, 0)]
      },
    }
  })
  return op(x, gain, bias) as tf.Tensor2D
}

/**
 * x·Φ(x) with Φ the normal distribution (`gelu`), or with its approximation (1 + tanh(√(2/π)·(x + 0.044715·x³))) / 2
 * (`gelu_new`). Hendrycks & Gimpel 2016.
 */
export function gelu(x: tf.Tensor2D, kind: Gelu): tf.Tensor2D {
  const op = tf.customGrad((...args) => {
    const [input, save] = args as unknown as [tf.Tensor2D, tf.GradSaveFunc]
    const share = kind === 'gelu' ? normalShare(input) : tanhShare(input)
    save([input, share])
    return {
      value: tf.mul(input, share),
      gradFunc: (dy, saved) => {
        const [z, p] = saved as [tf.Tensor, tf.Tensor]
        const slope = kind === 'gelu' ? normalDensity(z) : tanhSlope(z, p)
        return tf.mul(dy, tf.add(p, tf.mul(z, slope)))
      },
    }
  })
  return op(x) as tf.Tensor2D
}

const normalShare = (x: tf.Tensor) => tf.mul(tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1), 0.5)
const normalDensity = (x: tf.Tensor) => tf.mul(tf.exp(tf.mul(tf.square(x), -0.5)), 1 / Math.sqrt(2 * Math.PI))

/** √(2/π)·(x + c·x³) = x·(a + b·x²). */
const A = Math.sqrt(2 / Math.PI)
const B = A * 0.044715

const tanhShare = (x: tf.Tensor) => tf.mul(tf.add(tf.tanh(tf.mul(x, tf.add(tf.mul(tf.square(x), B), A))), 1), 0.5)

/** d share / dx = (1 − tanh²)/2 · (a + 3b·x²), where 1 − tanh² = 4·share·(1 − share). */
const tanhSlope = (x: tf.Tensor, share: tf.Tensor) =>
  tf.mul(tf.mul(tf.mul(share, tf.sub(1, share)), 2), tf.add(tf.mul(tf.square(x), 3 * B), A))
