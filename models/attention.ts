import * as tf from '@tensorflow/tfjs-core'
import type { DecoderConfig } from './config.js'
import { type RotaryTables, rope, rotaryTables } from './rotary.js'
import { traitsOf } from './traits.js'

/** Added to attention scores that must not count. Finite, so that a row without any open position stays a number. */
export const MASKED = -1e9

/** Queries, keys and values of one layer before rotary positions: [N, H·D], [N, K·D], [N, K·D]. */
export type Attend = (q: tf.Tensor2D, k: tf.Tensor2D, v: tf.Tensor2D, layer: number) => tf.Tensor2D

/** One layer's keys and values as the cache keeps them: k and v [B, K, T, D]. */
export interface LayerCache {
  readonly k: tf.Tensor4D
  readonly v: tf.Tensor4D
}

/** What tells one way of laying sequences out from another. */
interface Layout {
  readonly rows: number
  readonly length: number
  /** Where each place stands in its sequence [B, T]; default 0, 1, … in every row. */
  readonly positions?: tf.Tensor2D
  /** Added to the scores: 0 where a place sees another one, `window` − 1 before it at most, {@link MASKED} elsewhere. */
  mask(window: number): tf.Tensor
}

/**
 * Causal self-attention over whole sequences that start at position 0. Padding on the right is harmless: a position sees
 * none after it.
 */
export function fullAttention(config: DecoderConfig, rows: number, length: number, caches?: LayerCache[]): Attend {
  const mask = (window: number) => tf.tensor(causalMask(length, window), [length, length])
  return wholeAttention(config, { rows, length, mask }, caches)
}

/** Self-attention over all places of a layout. Grouped queries are folded into the row axis, so keys are never repeated. */
export function wholeAttention(
  config: DecoderConfig,
  { rows, length, positions, mask }: Layout,
  caches?: LayerCache[],
): Attend {
  const { numAttentionHeads: H, numKeyValueHeads: K, headDim: D } = config
  const { frequencies, windowOf } = traitsOf(config)
  const group = H / K
  const scale = 1 / Math.sqrt(D)
  const tables = frequencies && rotaryTables(length, frequencies)
  const turned = (x: tf.Tensor2D, heads: number) => {
    const whole = tables ? rope(tf.reshape(x, [rows, length, heads * D]), tables, { heads, positions }) : x
    return tf.reshape(whole, [rows, length, heads, D])
  }
  const masks = new Map<number, tf.Tensor>() // most often one, of no window
  const maskOf = (layer: number): tf.Tensor => {
    const window = Math.min(length, windowOf(layer) ?? length)
    const made = masks.get(window) ?? mask(window)
    masks.set(window, made)
    return made
  }
  return (q, k, v, layer) => {
    const rotatedQ = turned(q, H)
    const rotatedK = turned(k, K)
    // [B, T, H, D] -> [B, H, T, D] -> [B, K, G·T, D]: head h reads key head ⌊h / G⌋
    const grouped = tf.reshape(tf.transpose(rotatedQ, [0, 2, 1, 3]), [rows, K, group * length, D])
    const kT = tf.transpose(rotatedK, [0, 2, 3, 1]) as tf.Tensor4D // [B, K, D, T]
    const values = tf.transpose(tf.reshape(v, [rows, length, K, D]), [0, 2, 1, 3]) as tf.Tensor4D // [B, K, T, D]
    caches?.push({ k: tf.transpose(rotatedK, [0, 2, 1, 3]) as tf.Tensor4D, v: values })
    const scores = tf.reshape(tf.mul(tf.matMul(grouped, kT), scale), [rows, H, length, length])
    const shares = tf.reshape(tf.softmax(tf.add(scores, maskOf(layer))), [rows, K, group * length, length])
    const mixed = tf.reshape(tf.matMul(shares, values), [rows, H, length, D])
    return tf.reshape(tf.transpose(mixed, [0, 2, 1, 3]), [rows * length, H * D])
  }
}

/** 0 on the diagonal and the `window` − 1 places before it, {@link MASKED} elsewhere. */
function causalMask(length: number, window: number): Float32Array {
  const mask = new Float32Array(length * length).fill(MASKED)
  for (let row = 0; row < length; row++)
    mask.fill(0, row * length + Math.max(0, row - window + 1), row * length + row + 1)
  return mask
}

/**
 * Attention of one new position a row over its cache and itself. The cache comes per layer as k and v [B, K, S, D];
 * `open` [B, 1, 1, S] is 0 where the cache holds a position and {@link MASKED} elsewhere; `positions` [B]
 * is where the new token stands; slot s of the cache holds position s. The new keys and values are pushed to `fresh`, each [B, K, 1 · D].
 */
export function stepAttention(
  config: DecoderConfig,
  input: { caches: readonly LayerCache[]; open: tf.Tensor4D; positions: tf.Tensor1D },
  fresh: tf.Tensor[],
): Attend {
  const { numAttentionHeads: H, numKeyValueHeads: K, headDim: D } = config
  const { frequencies, windowOf } = traitsOf(config)
  const [rows, , , slots] = input.open.shape
  const group = H / K
  const scale = 1 / Math.sqrt(D)
  // A factor beside a product of one row costs ONNX Runtime's fast way through it, so the tables carry it where they can.
  const inTables = frequencies !== undefined && 2 * frequencies.length === D
  const [qTables, kTables] = [inTables ? scale : 1, 1].map(
    (factor) => frequencies && rotaryTables(slots + 1, frequencies, factor),
  )
  const positions = tf.reshape(input.positions, [rows, 1]) as tf.Tensor2D
  const turned = (x: tf.Tensor2D, heads: number, tables: RotaryTables | undefined) =>
    tables ? rope(tf.reshape(x, [rows, 1, heads * D]), tables, { heads, positions }) : x
  const opens = new Map<number, tf.Tensor>()
  const openOf = (layer: number): tf.Tensor => {
    const window = windowOf(layer) ?? slots + 1
    if (window > slots) return input.open
    const open = opens.get(window) ?? tf.add(input.open, windowMask(input.positions, slots, window))
    opens.set(window, open)
    return open
  }
  return (q, k, v, layer) => {
    const { k: keys, v: values } = input.caches[layer]!
    const turnedQ = tf.reshape(turned(q, H, qTables), [rows, K, group, D])
    const newQ = inTables ? turnedQ : tf.mul(turnedQ, scale)
    const newK = tf.reshape(turned(k, K, kTables), [rows, K, 1, D])
    const newV = tf.reshape(v, [rows, K, 1, D])
    fresh.push(newK, newV)
    const old = tf.add(tf.matMul(newQ, keys, false, true), openOf(layer)) // [B, K, G, S]
    const self = tf.sum(tf.mul(newQ, newK), -1, true) // [B, K, G, 1]
    const shares = tf.softmax(tf.concat([old, self], -1))
    const [onOld, onSelf] = tf.split(shares, [slots, 1], -1) as [tf.Tensor4D, tf.Tensor4D]
    return tf.reshape(tf.add(tf.matMul(onOld, values), tf.mul(onSelf, newV)), [rows, H * D])
  }
}

/** 0 for the slots that a new token at each of `positions` [B] still sees, {@link MASKED} before. [B, 1, 1, S] */
function windowMask(positions: tf.Tensor1D, slots: number, window: number): tf.Tensor {
  const slot = tf.tensor(
    Int32Array.from({ length: slots }, (_, index) => index),
    [1, 1, 1, slots],
    'int32',
  )
  const last = tf.sub(tf.reshape(positions, [-1, 1, 1, 1]), tf.scalar(window, 'int32')) // the last one out of sight
  return tf.mul(tf.cast(tf.lessEqual(slot, last), 'float32'), MASKED)
}
