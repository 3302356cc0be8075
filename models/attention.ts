import * as tf from '@tensorflow/tfjs-core'
import type { LlamaConfig } from './config.js'
import { inverseFrequencies, rope, rotaryTables } from './rotary.js'

/** Added to attention scores that must not count. Finite, so that a row without any open position stays a number. */
export const MASKED = -1e9

/** Queries, keys and values of one layer before rotary positions: [N, H·D], [N, K·D], [N, K·D]. */
export type Attend = (q: tf.Tensor2D, k: tf.Tensor2D, v: tf.Tensor2D, layer: number) => tf.Tensor2D

/** One layer's keys and values as the cache keeps them: kT [B, K, D, T] (no transpose when scoring) and v [B, K, T, D]. */
export interface LayerCache {
  readonly kT: tf.Tensor4D
  readonly v: tf.Tensor4D
}

/**
 * Causal self-attention over whole sequences that start at position 0. Padding on the right is harmless: a position sees
 * none after it. Grouped queries are folded into the row axis, so keys are never repeated.
 */
export function fullAttention(config: LlamaConfig, rows: number, length: number, caches?: LayerCache[]): Attend {
  const { numAttentionHeads: H, numKeyValueHeads: K, headDim: D, ropeTheta } = config
  const group = H / K
  const scale = 1 / Math.sqrt(D)
  const tables = rotaryTables(length, inverseFrequencies(D, ropeTheta))
  const turned = (x: tf.Tensor2D, heads: number) =>
    tf.reshape(rope(tf.reshape(x, [rows, length, heads * D]), tables, { heads }), [rows, length, heads, D])
  const mask = tf.tensor(causalMask(length), [length, length])
  return (q, k, v) => {
    const rotatedQ = turned(q, H)
    const rotatedK = turned(k, K)
    // [B, T, H, D] -> [B, H, T, D] -> [B, K, G·T, D]: head h reads key head ⌊h / G⌋
    const grouped = tf.reshape(tf.transpose(rotatedQ, [0, 2, 1, 3]), [rows, K, group * length, D])
    const kT = tf.transpose(rotatedK, [0, 2, 3, 1]) as tf.Tensor4D // [B, K, D, T]
    const values = tf.transpose(tf.reshape(v, [rows, length, K, D]), [0, 2, 1, 3]) as tf.Tensor4D // [B, K, T, D]
    caches?.push({ kT, v: values })
    const scores = tf.reshape(tf.mul(tf.matMul(grouped, kT), scale), [rows, H, length, length])
    const shares = tf.reshape(tf.softmax(tf.add(scores, mask)), [rows, K, group * length, length])
    const mixed = tf.reshape(tf.matMul(shares, values), [rows, H, length, D])
    return tf.reshape(tf.transpose(mixed, [0, 2, 1, 3]), [rows * length, H * D])
  }
}

/** 0 on and below the diagonal, {@link MASKED} above. */
function causalMask(length: number): Float32Array {
  const mask = new Float32Array(length * length)
  for (let row = 0; row < length; row++) mask.fill(MASKED, row * length + row + 1, (row + 1) * length)
  return mask
}

/**
 * Attention of one new position a row over its cache and itself. The cache comes per layer as kT [B, K, D, S] and
 * v [B, K, S, D]; `open` [B, 1, 1, S] is 0 where the cache holds a position and {@link MASKED} elsewhere; `positions` [B]
 * is where the new token stands. The new keys and values are pushed to `fresh`, each [B, K, 1 · D].
 */
export function stepAttention(
  config: LlamaConfig,
  input: { caches: readonly LayerCache[]; open: tf.Tensor4D; positions: tf.Tensor1D },
  fresh: tf.Tensor[],
): Attend {
  const { numAttentionHeads: H, numKeyValueHeads: K, headDim: D, ropeTheta } = config
  const [rows, , , slots] = input.open.shape
  const group = H / K
  const scale = 1 / Math.sqrt(D)
  const tables = rotaryTables(slots + 1, inverseFrequencies(D, ropeTheta))
  const positions = tf.reshape(input.positions, [rows, 1]) as tf.Tensor2D
  const turned = (x: tf.Tensor2D, heads: number) =>
    rope(tf.reshape(x, [rows, 1, heads * D]), tables, { heads, positions })
  return (q, k, v, layer) => {
    const { kT, v: values } = input.caches[layer]!
    const newQ = tf.reshape(turned(q, H), [rows, K, group, D])
    const newK = tf.reshape(turned(k, K), [rows, K, 1, D])
    const newV = tf.reshape(v, [rows, K, 1, D])
    fresh.push(newK, newV)
    const old = tf.add(tf.mul(tf.matMul(newQ, kT), scale), input.open) // [B, K, G, S]
    const self = tf.mul(tf.sum(tf.mul(newQ, newK), -1, true), scale) // [B, K, G, 1]
    const shares = tf.softmax(tf.concat([old, self], -1))
    const [onOld, onSelf] = tf.split(shares, [slots, 1], -1) as [tf.Tensor4D, tf.Tensor4D]
    return tf.reshape(tf.add(tf.matMul(onOld, values), tf.mul(onSelf, newV)), [rows, H * D])
  }
}
