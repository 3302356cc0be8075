import * as tf from '@tensorflow/tfjs-core'
import { type Attend, MASKED, wholeAttention } from './attention.js'
import type { DecoderConfig } from './config.js'

/**
 * Causal self-attention over rows that hold several sequences one after another. `positions` [B, T] restart at 0 with each
 * sequence; `segments` [B, T] says which sequence a place belongs to: a place sees those before it in its own.
 */
export function packedAttention(config: DecoderConfig, positions: tf.Tensor2D, segments: tf.Tensor2D): Attend {
  const [rows, length] = positions.shape
  return wholeAttention(config, { rows, length, positions, mask: (window) => blockMask(segments, window) })
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
