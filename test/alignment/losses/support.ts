import * as tf from '@tensorflow/tfjs-core'
import type { ExecutionContext } from 'ava'
import type { PairLogprobs } from '../../../alignment/index.js'

/** One pair as numbers. */
export interface NumberPair {
  readonly chosen: number
  readonly rejected: number
  readonly refChosen: number
  readonly refRejected: number
  readonly chosenTokens: number
  readonly rejectedTokens: number
}

/** Four pairs, whose losses by the reference implementations in float64 are known; h = 1.5, 1, −0.75, 3.25. */
export const PAIRS: readonly NumberPair[] = [
  { chosen: -12, rejected: -11, refChosen: -13, refRejected: -10.5, chosenTokens: 10, rejectedTokens: 9 },
  { chosen: -8.5, rejected: -10, refChosen: -9, refRejected: -9.5, chosenTokens: 8, rejectedTokens: 11 },
  { chosen: -20.25, rejected: -18.5, refChosen: -19, refRejected: -18, chosenTokens: 15, rejectedTokens: 12 },
  { chosen: -5, rejected: -9.75, refChosen: -6.5, refRejected: -8, chosenTokens: 4, rejectedTokens: 7 },
]

export function tensorsOf(pairs: readonly NumberPair[]): PairLogprobs {
  const column = (name: keyof NumberPair) => tf.tensor1d(pairs.map((pair) => pair[name]))
  return {
    chosen: column('chosen'),
    rejected: column('rejected'),
    refChosen: column('refChosen'),
    refRejected: column('refRejected'),
    chosenTokens: column('chosenTokens'),
    rejectedTokens: column('rejectedTokens'),
    weight: tf.ones([pairs.length]),
  }
}

export const sigmoid = (x: number) => 1 / (1 + Math.exp(-x))
export const softplus = (x: number) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)))

/** Within `eps` of the greater of 1 and what is expected. */
export function close(
  t: ExecutionContext,
  actual: ArrayLike<number>,
  expected: readonly number[],
  eps = 2e-6,
  what = '',
): void {
  t.is(actual.length, expected.length, what)
  for (const [i, value] of expected.entries()) {
    const isNear = Math.abs((actual[i] as number) - value) <= eps * Math.max(1, Math.abs(value))
    t.true(isNear, `${what} ${i}: ${actual[i]} is not ${value}`)
  }
}

/** Central differences of a float64 function of several numbers. */
export function slopes(fn: (...xs: number[]) => number, at: readonly number[], step = 1e-5): number[] {
  return at.map((x, i) => (fn(...at.with(i, x + step)) - fn(...at.with(i, x - step))) / (2 * step))
}

/** Gradients of Σ fn by the log-probabilities of chosen and rejected. */
export function pairGradients(fn: (pair: PairLogprobs) => tf.Tensor, pair: PairLogprobs): [Float32Array, Float32Array] {
  const [chosen, rejected] = tf.grads((c: tf.Tensor, r: tf.Tensor) => tf.sum(fn({ ...pair, chosen: c, rejected: r })))([
    pair.chosen,
    pair.rejected,
  ])
  return [chosen!.dataSync() as Float32Array, rejected!.dataSync() as Float32Array]
}
