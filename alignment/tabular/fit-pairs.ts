import * as tf from '@tensorflow/tfjs-core'
import { type Backend, compile, type HostTensor } from '../../runtime/tensor/index.js'
import type { BoundPreferenceLoss } from '../losses/index.js'

export interface PairFitOptions {
  /** Of `preferenceLoss`; one that looks at the gap between chosen and rejected alone. */
  readonly loss: BoundPreferenceLoss
  /** [pairs][features] of the chosen answers. */
  readonly chosen: readonly (readonly number[])[]
  /** [pairs][features] of the rejected ones. */
  readonly rejected: readonly (readonly number[])[]
  /** Default 400. */
  readonly steps?: number
  /** Of the first step; it falls to 0 linearly. Default 0.1. */
  readonly rate?: number
  /** Adds decay·|θ|²/2 to the mean loss. Default 0. */
  readonly decay?: number
  /** Default `onnx`. */
  readonly backend?: Backend
}

const [BETA1, BETA2, EPSILON] = [0.9, 0.999, 1e-12]

/**
 * Fits a log-linear policy π(y) ∝ ref(y)·exp(θ·φ(y)) to pairs by any loss of the gap, with Adam over all pairs at once:
 * lr(y) = θ·φ(y) − log Z, and log Z falls out of the gap. θ·φ(y) is also a linear reward, and with the loss `dpo` at β = 1
 * this is a Bradley–Terry reward model.
 *
 * @returns θ, [features]
 */
export async function fitPairs(options: PairFitOptions): Promise<number[]> {
  const { loss, chosen, rejected, steps = 400, rate = 0.1, decay = 0, backend = 'onnx' } = options
  const gap = chosen.map((row, i) => row.map((value, f) => value - (rejected[i]?.[f] as number)))
  const features = gap[0]?.length ?? 0
  if (features === 0) throw new RangeError('a fit needs a pair of answers with features')
  const slope = compile(([theta, gaps]) => [tf.grad((t) => meanLoss(loss, t, gaps as tf.Tensor, decay))(theta!)], {
    name: 'fit-pairs',
    backend,
  })
  try {
    const pairs = matrix([gap.length, features], gap.flat())
    const theta = new Float32Array(features)
    const [first, second] = [new Float64Array(features), new Float64Array(features)]
    for (let step = 1; step <= steps; step++) {
      const [gradient] = await slope.run([matrix([features, 1], theta), pairs])
      const size = rate * (1 - (step - 1) / steps)
      for (let f = 0; f < features; f++) {
        const g = gradient!.data[f] as number
        first[f] = BETA1 * (first[f] as number) + (1 - BETA1) * g
        second[f] = BETA2 * (second[f] as number) + (1 - BETA2) * g * g
        const mean = (first[f] as number) / (1 - BETA1 ** step)
        theta[f] =
          (theta[f] as number) - (size * mean) / (Math.sqrt((second[f] as number) / (1 - BETA2 ** step)) + EPSILON)
      }
    }
    return Array.from(theta)
  } finally {
    await slope.dispose()
  }
}

function meanLoss(loss: BoundPreferenceLoss, theta: tf.Tensor, gaps: tf.Tensor, decay: number): tf.Scalar {
  const h = tf.reshape(tf.matMul(gaps as tf.Tensor2D, theta as tf.Tensor2D), [-1]) // [P]
  const [zeros, ones] = [tf.zerosLike(h), tf.onesLike(h)]
  const losses = loss.perPair({
    ...{ chosen: h, rejected: zeros, refChosen: zeros, refRejected: zeros },
    ...{ chosenTokens: ones, rejectedTokens: ones, weight: ones },
  })
  return tf.add(tf.mean(losses), tf.mul(tf.sum(tf.square(theta)), decay / 2))
}

function matrix(shape: readonly number[], values: Float32Array | readonly number[]): HostTensor {
  return { dtype: 'float32', shape, data: Float32Array.from(values) }
}
