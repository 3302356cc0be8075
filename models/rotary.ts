import * as tf from '@tensorflow/tfjs-core'
import { fused } from '../runtime/tensor/fused.js'

/** Cosines and sines of every position and rotated pair of dimensions, each [positions, pairs]. */
export interface RotaryTables {
  readonly cos: tf.Tensor2D
  readonly sin: tf.Tensor2D
}

/** Radians a position for each pair of dimensions: theta^(−2i/dims), i below dims/2. Su et al. 2021. */
export function inverseFrequencies(dims: number, theta: number): Float64Array {
  return Float64Array.from({ length: dims / 2 }, (_, i) => theta ** ((-2 * i) / dims))
}

/** Tables of positions 0 … positions−1, times `factor`. */
export function rotaryTables(positions: number, frequencies: Float64Array, factor = 1): RotaryTables {
  const pairs = frequencies.length
  const angle = (i: number) => Math.floor(i / pairs) * frequencies[i % pairs]!
  const table = (of: (x: number) => number) =>
    tf.tensor2d(
      Float32Array.from({ length: positions * pairs }, (_, i) => factor * of(angle(i))),
      [positions, pairs],
    )
  return { cos: table(Math.cos), sin: table(Math.sin) }
}

/** Where the rows of x stand: at 0, 1, … (none given) or at `positions` [B, T]. */
export interface RotaryPlace {
  readonly heads: number
  readonly positions?: tf.Tensor2D | undefined
}

/**
 * Rotary position embedding in Hugging Face's rotate-half convention: of each head the first 2·pairs dimensions are turned,
 * (x₁, x₂) → (x₁·cos − x₂·sin, x₂·cos + x₁·sin) with x₁, x₂ their halves; the others pass. x [B, T, heads·D] → the same shape.
 * No gradient reaches the tables.
 */
export function rope(x: tf.Tensor3D, tables: RotaryTables, place: RotaryPlace): tf.Tensor3D {
  const op = tf.customGrad((...args) => {
    const [input, save] = args as unknown as [tf.Tensor3D, tf.GradSaveFunc]
    save(place.positions ? [tables.cos, tables.sin, place.positions] : [tables.cos, tables.sin])
    return {
      value: turn(input, tables, place),
      gradFunc: (dy, saved) => {
        const [cos, sin, positions] = saved as [tf.Tensor2D, tf.Tensor2D, tf.Tensor2D | undefined]
        return turn(dy as tf.Tensor3D, { cos, sin: tf.neg(sin) }, { heads: place.heads, positions }) // back by the same angle
      },
    }
  })
  return op(x) as tf.Tensor3D
}

function turn(x: tf.Tensor3D, tables: RotaryTables, { heads, positions }: RotaryPlace): tf.Tensor3D {
  const dims = 2 * tables.cos.shape[1]
  const inputs = { x, cos: tables.cos, sin: tables.sin, ...(positions ? { positions } : {}) }
  const plain = () => [turnPlainly(x, tables, { heads, positions })]
  return fused('TroupeRotary', inputs, { heads, dims }, plain)[0] as tf.Tensor3D
}

function turnPlainly(x: tf.Tensor3D, { cos, sin }: RotaryTables, { heads, positions }: RotaryPlace): tf.Tensor3D {
  const [rows, length, width] = x.shape
  const [pairs, size] = [cos.shape[1], width / heads]
  const angles = (table: tf.Tensor2D) =>
    positions
      ? tf.reshape(tf.gather(table, tf.reshape(positions, [-1])), [rows, length, 1, pairs])
      : tf.reshape(tf.slice(table, [0, 0], [length, pairs]), [1, length, 1, pairs])
  const [c, s] = [angles(cos), angles(sin)]
  const whole = tf.reshape(x, [rows, length, heads, size])
  const [first, second, rest] = tf.split(whole, [pairs, pairs, size - 2 * pairs], 3) as [
    tf.Tensor,
    tf.Tensor,
    tf.Tensor,
  ]
  const turned = [tf.sub(tf.mul(first, c), tf.mul(second, s)), tf.add(tf.mul(second, c), tf.mul(first, s))]
  return tf.reshape(tf.concat(size > 2 * pairs ? [...turned, rest] : turned, 3), x.shape)
}
