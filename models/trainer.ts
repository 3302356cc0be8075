import * as tf from '@tensorflow/tfjs-core'
import { assert, TroupeError } from '../runtime/kernel/errors.js'
import {
  type Compiled,
  compile,
  type HostTensor,
  type LossFunction,
  type TensorFunction,
} from '../runtime/tensor/index.js'
import { bucketed, checkSequence, layBatch } from './batch.js'
import type { DecoderConfig } from './config.js'
import { chosenLogprobs, countWeights, weightInputs } from './graphs.js'
import { checkParams, paramLayout } from './layout.js'
import { moveRows } from './ops.js'
import { AdamW, globalNorm } from './optimizer.js'
import type { EngineOptions, OptimizerOptions, StepResult, TokenSequence, Trainer, TrainingExtra } from './types.js'

export interface TrainerOptions {
  readonly optimizer: OptimizerOptions
  readonly engine: EngineOptions
  /** A batch is padded with empty sequences to a multiple of this. */
  readonly rows: number
  /** A batch's length is padded to a multiple of this. Default 16. */
  readonly lengthBucket?: 8 | 16
}

/** Tensors of one batch before the extras: tokens, index, back, targets, flat, mask. */
const BATCH_INPUTS = 6

/** Graphs kept: some row counts × lengths × shares of chosen positions. */
const MAX_GRAPHS = 32

/**
 * Trains `params` in place on `loss`, one AdamW update a step. Loss, metrics and all gradients are one compiled graph.
 * Throws `E_CONFIG` (options), and from `step` `E_DATA` (a sequence that does not fit, or a loss or gradient that is not
 * finite; then nothing was changed).
 */
export function createTrainer(
  config: DecoderConfig,
  params: Float32Array,
  loss: LossFunction,
  options: TrainerOptions,
): Trainer {
  return new GraphTrainer(config, params, loss, options)
}

class GraphTrainer implements Trainer {
  readonly params: Float32Array
  readonly #config: DecoderConfig
  readonly #options: TrainerOptions
  readonly #weights: HostTensor[]
  readonly #graph: Compiled
  readonly #adam: AdamW

  constructor(config: DecoderConfig, params: Float32Array, loss: LossFunction, options: TrainerOptions) {
    checkParams(config, params)
    if (!Number.isSafeInteger(options.rows) || options.rows < 1)
      throw new TroupeError('E_CONFIG', `trainer: rows must be a positive integer, not ${options.rows}`)
    this.params = params
    this.#config = config
    this.#options = options
    this.#weights = weightInputs(config, params)
    this.#adam = new AdamW(paramLayout(config).entries, params.length, options.optimizer)
    this.#graph = compile(lossAndGradients(config, loss), {
      name: 'train',
      maxGraphs: MAX_GRAPHS,
      backend: options.engine.backend,
      threads: options.engine.threads ?? 1,
    })
  }

  async step(sequences: readonly TokenSequence[], extras: readonly TrainingExtra[] = []): Promise<StepResult> {
    sequences.forEach((sequence, index) => {
      checkSequence(this.#config, sequence, index)
    })
    const rows = bucketed(sequences.length, this.#options.rows)
    const longest = sequences.reduce((most, { tokens }) => Math.max(most, tokens.length), 1)
    const length = bucketed(longest, this.#options.lengthBucket ?? 16)
    const batch = layBatch(this.#config, sequences, rows, length)
    const further = extras.map((extra) => layExtra(extra, sequences, rows, length))
    const outputs = await this.#graph.run([...this.#weights, ...batch.inputs, batch.mask, ...further])
    const [loss, ...rest] = outputs.map(({ data }) => data as Float32Array)
    const gradients = rest.slice(0, this.#weights.length)
    const gradNorm = globalNorm(gradients)
    if (!Number.isFinite(loss![0]!) || !Number.isFinite(gradNorm))
      throw new TroupeError(
        'E_DATA',
        `training step: loss ${loss![0]}, gradient norm ${gradNorm}; weights left as they were`,
        {
          where: 'trainer',
          hint: 'Lower the learning rate, or clip gradients (clipNorm)',
        },
      )
    return {
      loss: loss![0]!,
      metrics: rest.slice(this.#weights.length).map((metric) => metric[0]!),
      gradNorm,
      learningRate: this.#adam.update(this.params, gradients, gradNorm),
      tokens: sequences.reduce((sum, { tokens }) => sum + tokens.length, 0),
    }
  }

  resetOptimizer(options: OptimizerOptions): void {
    this.#adam.reset(options)
  }

  state() {
    return this.#adam.state()
  }

  restore(state: { step: number; m: Float32Array; v: Float32Array }): void {
    this.#adam.restore(state)
  }

  async dispose(): Promise<void> {
    await this.#graph.dispose()
  }
}

/** An extra as a tensor: rows of zeros are added where it has one row a sequence; per-token values go to their columns. */
function layExtra(extra: TrainingExtra, sequences: readonly TokenSequence[], rows: number, length: number): HostTensor {
  if ('perToken' in extra) {
    const data = new Float32Array(rows * length)
    sequences.forEach(({ tokens, promptLength }, row) => {
      const values = extra.perToken[row]
      assert(values?.length === tokens.length - promptLength, 'a per-token extra has one value a completion token')
      data.set(values, row * length + promptLength - 1)
    })
    return { dtype: 'float32', shape: [rows, length], data }
  }
  const { shape, data } = extra
  if (shape[0] !== sequences.length || rows === sequences.length) return { dtype: 'float32', shape, data }
  const padded = new Float32Array((data.length / sequences.length) * rows)
  padded.set(data)
  return { dtype: 'float32', shape: [rows, ...shape.slice(1)], data: padded }
}

/** weights, tokens, index, back, targets, flat, mask, extras → loss, gradients, metrics. */
function lossAndGradients(config: DecoderConfig, loss: LossFunction): TensorFunction {
  const count = countWeights(config)
  return (inputs) => {
    const batch = inputs.slice(count, count + BATCH_INPUTS)
    const extras = inputs.slice(count + BATCH_INPUTS)
    const [, index, back, , , mask] = batch as [tf.Tensor, tf.Tensor1D, tf.Tensor1D, tf.Tensor, tf.Tensor, tf.Tensor2D]
    let metrics: tf.Tensor[] = []
    const { value, grads } = tf.valueAndGrads((...weights: tf.Tensor[]) => {
      const chosen = chosenLogprobs(config, weights, batch) // [M]
      // Back to [rows, length]: zero where no completion token follows.
      const logprobs = tf.reshape(moveRows(chosen, back, index), mask.shape)
      const result = loss(logprobs, mask, extras)
      // Clones, because a loss may also be given as a metric, and outlives what is kept here.
      metrics = result.metrics.map((metric) => tf.keep(tf.clone(metric)))
      return result.loss
    })(inputs.slice(0, count))
    const outputs = metrics.map((metric) => tf.clone(metric))
    tf.dispose(metrics)
    return [value, ...grads, ...outputs]
  }
}
