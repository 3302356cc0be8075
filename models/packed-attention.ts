import * as tf from '@tensorflow/tfjs-core'
import { type Attend, MASKED } from './attention.js'
import type { DecoderConfig } from './config.js'
import { rope, rotaryTables } from './rotary.js'
import { traitsOf } from './traits.js'

/**
 * Causal self-attention over rows that hold several sequences one after another. `positions` [B, T] restart at 0 with each
 * sequence; `segments` [B, T] says which sequence a place belongs to: a place sees those before it in its own.
 */
export function packedAttention(config: DecoderConfig, positions: tf.Tensor2D, segments: tf.Tensor2D): Attend {
  const { numAttentionHeads: H, numKeyValueHeads: K, headDim: D } = config
  const { frequencies, windowOf } = traitsOf(config)
  const [rows, length] = positions.shape
  const group = H / K
  const tables = frequencies && rotaryTables(length, frequencies)
  const turned = (x: tf.Tensor2D, heads: number) => {
    const whole = tables ? rope(tf.reshape(x, [rows, length, heads * D]), tables, { heads, positions }) : x
    return tf.reshape(whole, [rows, length, heads, D])
  }
  const masks = new Map<number, tf.Tensor>() // most often one, of no window
  const maskOf = (layer: number): tf.Tensor => {
    const window = Math.min(length, windowOf(layer) ?? length)
    const mask = masks.get(window) ?? blockMask(segments, window)
    masks.set(window, mask)
    return mask
  }
  return (q, k, v, layer) => {
    const grouped = tf.reshape(tf.transpose(turned(q, H), [0, 2, 1, 3]), [rows, K, group * length, D])
    const kT = tf.transpose(turned(k, K), [0, 2, 3, 1]) // [B, K, D, T]
    const values = tf.transpose(tf.reshape(v, [rows, length, K, D]), [0, 2, 1, 3]) // [B, K, T, D]
    const scores = tf.reshape(tf.mul(tf.matMul(grouped, kT), 1 / Math.sqrt(D)), [rows, H, length, length])
    const shares = tf.reshape(tf.softmax(tf.add(scores, maskOf(layer))), [rows, K, group * length, length])
    const mixed = tf.reshape(tf.matMul(shares, values), [rows, H, length, D])
    return tf.reshape(tf.transpose(mixed, [0, 2, 1, 3]), [rows * length, H * D])
  }
}

/** 0 at a place's own sequence, from `window` − 1 places back to itself; {@link MASKED} elsewhere. [B, 1, T, T] */
function blockMask(segments: tf.Tensor2D, window: number): tf.Tensor {
  const length = segments.shape[1]
  const band = new Float32Array(length * length)
  for (let row = 0; row < length; row++)
    band.fill(1, row * length + Math.max(0, row - window + 1), row * length + row + 1)
  const same = tf.cast(tf.equal(tf.expandDims(segments, 2), tf.expandDims(segments, 1)), 'float32') // [B, T, T]
  const open = tf.mul(same, tf.tensor(band, [length, length]))
  return tf.expandDims(tf.mul(tf.sub(1, open), MASKED), 1)
}
