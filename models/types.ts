import type { Backend } from '../runtime/tensor/index.js'
import type { Random } from '../runtime/time/random.js'
import type { DecoderConfig } from './config.js'
import type { OptimizerState } from './optimizer.js'

/** Tokens of a prompt and its completion; the loss and the logprobs are of `tokens[promptLength…]`. */
export interface TokenSequence {
  readonly tokens: Int32Array
  readonly promptLength: number
}

export interface SamplingOptions {
  /** Default 1; 0 is greedy. */
  readonly temperature: number
  /** 0 keeps all. */
  readonly topK: number
  /** 1 keeps all. */
  readonly topP: number
  readonly maxNewTokens: number
  /** A sequence ends with (and includes) the first of these. */
  readonly stopTokens: readonly number[]
}

export interface GenerateRequest {
  readonly prompt: Int32Array
  /** Completions wanted; they share the prefill. */
  readonly n: number
  /** Candidate i draws from `random.stream(i)`, so its tokens do not depend on the batch around it. */
  readonly random: Random
}

export interface Completion {
  /** New tokens only, the stop token included. */
  readonly tokens: Int32Array
  /** log π(token) of the untruncated policy at temperature 1. */
  readonly logprobs: Float32Array
  /** log-probability under the distribution that was sampled from (temperature, top-k, top-p). */
  readonly samplingLogprobs: Float32Array
  /** The version of the weights that drew each token; only where versions are followed ({@link GenerateControl}). */
  readonly versions?: Int32Array
  readonly finish: 'stop' | 'length'
}

/** How a running generation is steered from outside. */
export interface GenerateControl {
  /** Ends it before its next graph run; it rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined
  readonly updates?: WeightUpdates | undefined
}

/** New weights between decode steps: in-flight updates, as in PipelineRL (2025) and AReaL (2025). */
export interface WeightUpdates {
  /**
   * Called before every graph run. It may write newer weights into the model's `params`, and returns the version that they
   * now hold; the same version means the same weights.
   */
  refresh(): number
  /**
   * What becomes of keys and values that older weights wrote: `keep` (default) decodes on with them, `recompute` reads each
   * sequence again with the new weights before its next token.
   */
  readonly keys?: 'keep' | 'recompute' | undefined
}

export interface EngineOptions {
  readonly backend: Backend
  /** Native threads inside one call. Default 1. */
  readonly threads?: number
  /** Sequences decoded at once. Default 128. */
  readonly batch?: number
  /**
   * Puts several sequences into one row where their lengths differ, in `logprobs` and in training: under a tenth of the
   * places stay empty. Default false: it pays where lengths are mixed, and its rows ask for graphs of further shapes.
   */
  readonly packing?: boolean
  /** Keys, values and weights stay on the device during generation. Default: where the device is not the host. */
  readonly resident?: boolean
}

/** A model to read from: logprobs and generation. `params` is one flat vector laid out by `paramLayout(config)`. */
export interface LanguageModel {
  readonly config: DecoderConfig
  readonly params: Float32Array
  /** For each request, its `n` completions. */
  generate(
    requests: readonly GenerateRequest[],
    options: SamplingOptions,
    control?: GenerateControl,
  ): Promise<Completion[][]>
  /** Per-token log π of each sequence's completion (length tokens.length − promptLength). */
  logprobs(sequences: readonly TokenSequence[]): Promise<Float32Array[]>
  dispose(): Promise<void>
}

export interface OptimizerOptions {
  /** Peak learning rate. */
  readonly learningRate: number
  readonly beta1: number
  readonly beta2: number
  readonly epsilon: number
  /** Decoupled; not applied to norms and biases. */
  readonly weightDecay: number
  /** Global gradient norm; 0 is off. */
  readonly clipNorm: number
  readonly warmupSteps: number
  readonly schedule: 'constant' | 'cosine' | 'linear'
  /** Where the schedule ends; ignored by `constant`. */
  readonly totalSteps: number
  /** Final learning rate as a fraction of the peak. */
  readonly finalFraction: number
}

export interface StepResult {
  readonly loss: number
  readonly metrics: readonly number[]
  readonly gradNorm: number
  readonly learningRate: number
  /** Tokens that went through the model, padding excluded. */
  readonly tokens: number
}

/**
 * A further input of a loss: a tensor of fixed shape (rows of zeros are added where its first size is the number of
 * sequences), or one value for each completion token of each sequence, which becomes a [rows, length] tensor aligned with
 * `logprobs` (0 elsewhere).
 */
export type TrainingExtra =
  | { readonly shape: readonly number[]; readonly data: Float32Array }
  | { readonly perToken: readonly Float32Array[] }

/** One micro-batch of a training step. */
export interface TrainingBatch {
  readonly sequences: readonly TokenSequence[]
  readonly extras?: readonly TrainingExtra[]
}

/** Trains one flat vector. One graph per (rows, length bucket). */
export interface Trainer {
  /** What is trained; up to date after {@link pull}. With `update: 'graph'` it is read at the first step and not again. */
  readonly params: Float32Array
  /** Brings `params` up to date: call it before reading or publishing them. Free where the update is made on the host. */
  pull(): Promise<void>
  /** `rows` is padded with empty sequences to a multiple the caller chose; extras are vectors or matrices of fixed shape. */
  step(sequences: readonly TokenSequence[], extras?: readonly TrainingExtra[]): Promise<StepResult>
  /**
   * One update from several micro-batches, one after another: the gradient is that of all of them as one batch, and memory
   * that of the largest. The loss must be made of `mean`s (see `LossFunction`), else `E_CONFIG`.
   */
  accumulate(batches: readonly TrainingBatch[]): Promise<StepResult>
  /** Begins a new phase on the same params: new options, zero moments, step 0. Compiled graphs stay. */
  resetOptimizer(options: OptimizerOptions): void
  /** Optimizer moments and step count, for resuming. */
  state(): Promise<OptimizerState>
  /** Throws `E_CHECKPOINT` when the state is of another model. */
  restore(state: OptimizerState): void
  dispose(): Promise<void>
}
