import type * as tf from '@tensorflow/tfjs-core'
import type { HostTensor } from '../../runtime/tensor/index.js'

type Numbers = readonly number[]

/** A kernel's meaning: what TF.js is asked for, and the same in float64 on flat lists of numbers. */
export interface KernelCase {
  readonly kernel: string
  readonly inputs: readonly HostTensor[]
  readonly fn: (...inputs: never[]) => tf.Tensor | tf.Tensor[]
  /** One list for each output. */
  readonly reference: (...inputs: Numbers[]) => Numbers[]
  /** Compares the gradients of the float32 inputs, too. */
  readonly isSmooth: boolean
}

export const smooth = (
  kernel: string,
  fn: KernelCase['fn'],
  reference: KernelCase['reference'],
  ...inputs: HostTensor[]
): KernelCase => ({ kernel, fn, reference, inputs, isSmooth: true })

export const flat = (
  kernel: string,
  fn: KernelCase['fn'],
  reference: KernelCase['reference'],
  ...inputs: HostTensor[]
): KernelCase => ({ kernel, fn, reference, inputs, isSmooth: false })

/** Applies `f` element by element, a shorter second list repeated along the first. */
export const each =
  (f: (x: number, y: number) => number) =>
  (x: Numbers, y: Numbers = [0]): Numbers[] => [x.map((value, i) => f(value, y[i % y.length] as number))]

/** Takes elements by where each comes from. */
export const moved =
  (from: (i: number) => number, count: number) =>
  (x: Numbers): Numbers[] => [Array.from({ length: count }, (_, i) => x[from(i)] ?? 0)]

/** Works on each row of `width` elements. */
export const rows =
  (width: number, work: (row: Numbers) => Numbers) =>
  (x: Numbers): Numbers[] => [
    Array.from({ length: x.length / width }, (_, r) => work(x.slice(r * width, (r + 1) * width))).flat(),
  ]

export const sum = (xs: Numbers) => xs.reduce((total, x) => total + x, 0)
export const product = (xs: Numbers) => xs.reduce((total, x) => total * x, 1)

/** Σ (−1)ⁿ x²ⁿ⁺¹ / (n! (2n + 1)) · 2/√π, to the end of float64 for |x| below 4. */
export function erf(x: number): number {
  let [term, total] = [x, x]
  for (let n = 1; n < 120; n++) {
    term *= (-x * x) / n
    total += term / (2 * n + 1)
  }
  return (2 / Math.sqrt(Math.PI)) * total
}

export function softmax(row: Numbers): Numbers {
  const exps = row.map((x) => Math.exp(x - Math.max(...row)))
  return exps.map((x) => x / sum(exps))
}
