import { TroupeError } from '../runtime/kernel/errors.js'
import type { WeightEntry } from '../runtime/tensor/weights.js'
import { adamwUpdate, sumOfSquares } from './adamw-kernel.js'
import { isDecayed } from './layout.js'
import type { OptimizerOptions } from './types.js'

/** Throws `E_CONFIG` that names the first wrong optimizer option. */
export function checkOptimizer(options: OptimizerOptions): void {
  const bounds: [keyof OptimizerOptions, number, number][] = [
    ['learningRate', 0, 10],
    ['beta1', 0, 1 - 1e-9],
    ['beta2', 0, 1 - 1e-9],
    ['epsilon', Number.MIN_VALUE, 1],
    ['weightDecay', 0, 10],
    ['clipNorm', 0, Number.MAX_VALUE],
    ['warmupSteps', 0, Number.MAX_SAFE_INTEGER],
    ['totalSteps', 0, Number.MAX_SAFE_INTEGER],
    ['finalFraction', 0, 1],
  ]
  for (const [key, least, most] of bounds) {
    const value = options[key] as number
    if (!(value >= least && value <= most))
      throw new TroupeError('E_CONFIG', `optimizer: ${key} must be from ${least} to ${most}, not ${value}`, {
        where: 'optimizer',
      })
  }
  if (!['constant', 'cosine', 'linear'].includes(options.schedule))
    throw new TroupeError(
      'E_CONFIG',
      `optimizer: schedule must be constant, cosine or linear, not ${options.schedule}`,
      {
        where: 'optimizer',
      },
    )
}

/**
 * Learning rate of update `step` (the first is 0). Warm-up is linear and never 0: update s of w uses peak·(s + 1)/w. Then
 * constant, or down to peak·finalFraction at `totalSteps` along a line or half a cosine (Loshchilov & Hutter 2017).
 */
export function learningRateAt(options: OptimizerOptions, step: number): number {
  const { learningRate: peak, warmupSteps, totalSteps, finalFraction } = options
  if (step < warmupSteps) return (peak * (step + 1)) / warmupSteps
  if (options.schedule === 'constant') return peak
  const progress = Math.min(1, (step - warmupSteps) / Math.max(1, totalSteps - warmupSteps))
  const left = options.schedule === 'cosine' ? (1 + Math.cos(Math.PI * progress)) / 2 : 1 - progress
  return peak * (finalFraction + (1 - finalFraction) * left)
}

/** √Σg² over all gradients, summed in float64; not a number when any of them is not. */
export function globalNorm(gradients: readonly Float32Array[]): number {
  return Math.sqrt(gradients.reduce((sum, gradient) => sum + sumOfSquares(gradient), 0))
}

/** Bias corrections of update `step` (the first is 0) and its learning rate. */
export function correctionsAt(options: OptimizerOptions, step: number) {
  const rate = learningRateAt(options, step)
  return {
    rate,
    stepSize: rate / (1 - options.beta1 ** (step + 1)),
    correction: 1 / Math.sqrt(1 - options.beta2 ** (step + 1)),
  }
}

/** Moments of one flat vector and the number of updates made: what resuming needs. */
export interface OptimizerState {
  readonly step: number
  readonly m: Float32Array
  readonly v: Float32Array
}

/** Throws `E_CHECKPOINT` when `state` is not of a vector of `total` elements. */
export function checkState(state: OptimizerState, total: number): void {
  if (state.m.length !== total || state.v.length !== total || !(state.step >= 0))
    throw new TroupeError(
      'E_CHECKPOINT',
      `optimizer state of ${state.m.length} parameters does not fit a model of ${total}`,
      { where: 'optimizer', hint: 'Resume with the model configuration that the run began with' },
    )
}

/**
 * AdamW (Loshchilov & Hutter 2019) with bias correction, on one flat vector in place; the same arithmetic as
 * `torch.optim.AdamW` after `clip_grad_norm_`. Weight decay is decoupled, and not applied to norm gains (PyTorch users
 * write this as a parameter group; embeddings are decayed).
 */
export class AdamW {
  readonly #entries: readonly WeightEntry[]
  #options: OptimizerOptions
  #m: Float32Array
  #v: Float32Array
  #step = 0

  /** `entries` say where each gradient lies in the flat vector of `total` elements. Throws `E_CONFIG`. */
  constructor(entries: readonly WeightEntry[], total: number, options: OptimizerOptions) {
    checkOptimizer(options)
    this.#entries = entries
    this.#options = options
    this.#m = new Float32Array(total)
    this.#v = new Float32Array(total)
  }

  /** Begins anew: moments and step count are zero. */
  reset(options: OptimizerOptions): void {
    checkOptimizer(options)
    this.#options = options
    this.#m.fill(0)
    this.#v.fill(0)
    this.#step = 0
  }

  /** Applies one update from gradients of global norm `norm`; returns the learning rate it used. */
  update(params: Float32Array, gradients: readonly Float32Array[], norm: number): number {
    const { beta1, beta2, epsilon, weightDecay, clipNorm } = this.#options
    const { rate, stepSize, correction } = correctionsAt(this.#options, this.#step++)
    const clip = clipNorm > 0 ? Math.min(1, clipNorm / (norm + 1e-6)) : 1
    const step = { clip, beta1, beta2, stepSize, correction, epsilon }
    this.#entries.forEach(({ name, offset }, index) => {
      const keep = isDecayed(name) ? 1 - rate * weightDecay : 1
      adamwUpdate([params, this.#m, this.#v], gradients[index]!, offset, keep, step)
    })
    return rate
  }

  /** Copies of the moments, and the number of updates made. */
  state(): OptimizerState {
    return { step: this.#step, m: this.#m.slice(), v: this.#v.slice() }
  }

  /** Goes on from {@link state}. Throws `E_CHECKPOINT` when it is of another model. */
  restore(state: OptimizerState): void {
    checkState(state, this.#m.length)
    this.#m = state.m.slice()
    this.#v = state.v.slice()
    this.#step = state.step
  }
}
