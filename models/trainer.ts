import { assert, TroupeError } from '../runtime/kernel/errors.js'
import { type Compiled, compile, type HostTensor, type LossFunction } from '../runtime/tensor/index.js'
import { bucketed, checkSequence, layBatch } from './batch.js'
import type { DecoderConfig } from './config.js'
import { readPicks } from './graphs.js'
import { checkParams, paramLayout } from './layout.js'
import type { OptimizerState } from './optimizer.js'
import { layPackedBatch } from './packing.js'
import { ResidentUpdate } from './resident-update.js'
import { isHostBackend } from './resident-weights.js'
import { countsGraph, picksFor, type Trainable } from './training-graph.js'
import type {
  EngineOptions,
  OptimizerOptions,
  StepResult,
  TokenSequence,
  Trainer,
  TrainingBatch,
  TrainingExtra,
} from './types.js'
import { createHostUpdate, isSound, type Update, type UpdateOutcome } from './update.js'

export interface TrainerOptions {
  readonly optimizer: OptimizerOptions
  readonly engine: EngineOptions
  /** A batch is padded with empty sequences to a multiple of this. */
  readonly rows: number
  /** A batch's length is padded to a multiple of this. Default 16. */
  readonly lengthBucket?: 8 | 16
  /**
   * `graph`: AdamW is part of the graph, and parameters and moments stay on the device. `host`: gradients come to the host.
   * Default `host` on `onnx` and `cpu`, where the device is the host and native code copies every output (steps of 512 tokens on
   * one thread, host and graph: 0.87 M parameters 68 and 66 ms, 3.3 M 112 and 152, 19 M 647 and 711); `webgpu` and
   * `tensorflow` always use `graph`.
   */
  readonly update?: 'graph' | 'host'
}

/** Graphs kept: some row counts × lengths × shares of chosen positions. */
const MAX_GRAPHS = 32

/**
 * Trains `params` on `loss`, one AdamW update a step. Loss, metrics and all gradients are one compiled graph. Throws
 * `E_CONFIG` (options), and from `step` `E_DATA` (a sequence that does not fit, or a loss or gradient that is not finite;
 * then nothing was changed).
 */
export function createTrainer(
  config: DecoderConfig,
  params: Float32Array,
  loss: LossFunction,
  options: TrainerOptions,
): Trainer {
  checkParams(config, params)
  const read = readPicks(config, options.engine)
  const { further, take } = picksFor(loss)
  const model: Trainable = {
    entries: paramLayout(config).entries,
    total: params.length,
    frozen: [],
    packed: options.engine.packing ?? false,
    further,
    read: (trained, _, batch) => take(read(trained, batch)),
  }
  return createTrainerOf(config, model, params, loss, options)
}

/** A trainer of whatever `model` says; `params` is the trained vector. */
export function createTrainerOf(
  config: DecoderConfig,
  model: Trainable,
  params: Float32Array,
  loss: LossFunction,
  options: TrainerOptions,
): Trainer {
  return new GraphTrainer(config, model, params, loss, options)
}

class GraphTrainer implements Trainer {
  readonly params: Float32Array
  readonly #config: DecoderConfig
  readonly #options: TrainerOptions
  readonly #update: Update
  readonly #counts: Compiled

  constructor(
    config: DecoderConfig,
    model: Trainable,
    params: Float32Array,
    loss: LossFunction,
    options: TrainerOptions,
  ) {
    const { rows, update, optimizer } = options
    if (!Number.isSafeInteger(rows) || rows < 1)
      throw new TroupeError('E_CONFIG', `trainer: rows must be a positive integer, not ${rows}`)
    const { backend, threads = 1 } = options.engine
    const engine = { backend, threads, maxGraphs: MAX_GRAPHS }
    const onHost = isHostBackend(backend)
    if (update === 'host' && !onHost)
      throw new TroupeError('E_CONFIG', `trainer: the ${backend} backend updates in the graph`, {
        hint: 'Leave the option update out',
      })
    this.params = params
    this.#config = config
    this.#options = options
    this.#update =
      (update ?? (onHost ? 'host' : 'graph')) === 'host'
        ? createHostUpdate(model, params, loss, optimizer, engine)
        : new ResidentUpdate(model, params, loss, optimizer, engine)
    this.#counts = compile(countsGraph(model, loss), { name: 'counts', ...engine })
  }

  async step(sequences: readonly TokenSequence[], extras: readonly TrainingExtra[] = []): Promise<StepResult> {
    return this.#result(await this.#update.step(this.#lay({ sequences, extras }).inputs), [sequences])
  }

  async accumulate(batches: readonly TrainingBatch[]): Promise<StepResult> {
    if (batches.length === 0) throw new TroupeError('E_DATA', 'training step: no micro-batch', { where: 'trainer' })
    const parts = batches.map((batch) => this.#lay(batch))
    let totals: number[] = []
    for (const { mask, extras } of parts) {
      const [counts] = await this.#counts.run([mask, ...extras])
      totals = Array.from(counts!.data, (count, k) => (totals[k] ?? 0) + count)
    }
    if (totals.length === 1)
      throw new TroupeError('E_CONFIG', 'this loss does not say what it is a mean over, so its parts do not add up', {
        where: 'trainer',
        hint: 'Build the loss from the `mean` that it is given',
      })
    const outcome = await this.#update.accumulate(
      parts.map(({ inputs }) => inputs),
      { dtype: 'float32', shape: [totals.length], data: Float32Array.from(totals) },
    )
    return this.#result(
      outcome,
      batches.map(({ sequences }) => sequences),
    )
  }

  pull(): Promise<void> {
    return this.#update.pull()
  }

  resetOptimizer(options: OptimizerOptions): void {
    this.#update.reset(options)
  }

  state(): Promise<OptimizerState> {
    return this.#update.state()
  }

  restore(state: OptimizerState): void {
    this.#update.restore(state)
  }

  async dispose(): Promise<void> {
    await Promise.all([this.#update.dispose(), this.#counts.dispose()])
  }

  #lay({ sequences, extras = [] }: TrainingBatch) {
    sequences.forEach((sequence, index) => {
      checkSequence(this.#config, sequence, index)
    })
    const rows = bucketed(sequences.length, this.#options.rows)
    const longest = sequences.reduce((most, { tokens }) => Math.max(most, tokens.length), 1)
    const length = bucketed(longest, this.#options.lengthBucket ?? 16)
    const further = extras.map((extra) => layExtra(extra, sequences, rows, length))
    const { inputs, mask } = this.#options.engine.packing
      ? layPackedBatch(this.#config, sequences, rows, length)
      : layBatch(this.#config, sequences, rows, length)
    return { inputs: [...inputs, mask, ...further], mask, extras: further }
  }

  #result(outcome: UpdateOutcome, batches: readonly (readonly TokenSequence[])[]): StepResult {
    if (!isSound(outcome))
      throw new TroupeError(
        'E_DATA',
        `training step: loss ${outcome.loss}, gradient norm ${outcome.gradNorm}; weights left as they were`,
        {
          where: 'trainer',
          hint: 'Lower the learning rate, or clip gradients (clipNorm)',
        },
      )
    return { ...outcome, tokens: batches.flat().reduce((sum, { tokens }) => sum + tokens.length, 0) }
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
