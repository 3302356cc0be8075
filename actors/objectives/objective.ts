import type { TextTokenizer } from '../../models/index.js'
import type { OptimizerState } from '../../models/optimizer.js'
import type { TokenSequence } from '../../models/types.js'
import type { Random } from '../../runtime/time/random.js'
import type { LearnerConfig } from '../learner-config.js'
import type { createMixPool } from '../mix-pool.js'
import type { GroupOutcome } from '../selection.js'
import type { TrainingConfig } from '../training-config.js'
import type { World } from '../world.js'
import type { ReplayState } from './replay.js'

/** What an objective works with. `params` are the policy's, which it trains. */
export interface ObjectiveContext {
  readonly config: LearnerConfig
  readonly training: TrainingConfig
  readonly params: Float32Array
  readonly tokenizer: TextTokenizer
  readonly world: World
  readonly random: Random
  readonly demonstrations: ReturnType<typeof createMixPool>
}

export interface UpdateResult {
  /** Means over the steps of the update. */
  readonly loss: number
  readonly gradNorm: number
  /** Pairs, completions or groups that were trained on. */
  readonly used: number
  readonly tokens: number
  /** By their names in `metrics.jsonl`. */
  readonly metrics: Readonly<Record<string, number>>
}

export interface ObjectiveState {
  readonly reference: Float32Array
  readonly optimizer: OptimizerState
  /** Beyond the policy: a value head on its trunk. */
  readonly flat?: Float32Array | undefined
  /** What is replayed, each objective's own items; and BCO's shift. */
  readonly further: { readonly replay: ReplayState<unknown>; readonly shift?: number | undefined }
}

/** One way of training on judged groups. Rows and graphs are fixed when it is opened. */
export interface Objective {
  /** A new iteration: @param reference replaces the reference model and the optimizer starts afresh, where it is given. */
  begin(iteration: number, reference: Float32Array | undefined): Promise<void>
  /**
   * One update; null when nothing was selected (weights stay as they are). `pass` counts those of an iteration's end (`improve`), which
   * train on what the iteration's updates have had: 0, the default, is none of them.
   */
  update(outcomes: readonly GroupOutcome[], version: number, pass?: number): Promise<UpdateResult | null>
  /** Brings `params` up to date. */
  pull(): Promise<void>
  snapshot(): Promise<ObjectiveState>
  /** Goes on from a snapshot in an iteration (−1: before the first); `params` are set by then. */
  restore(state: ObjectiveState, iteration: number): void
  dispose(): Promise<void>
}

/** A sequence, and one log-probability for each token of its completion, by who wrote it. */
export interface Written {
  readonly sequence: TokenSequence
  readonly logprobs: Float32Array
}

/** A sequence that no policy of this run wrote; its log-probabilities are not looked at. */
export function unwritten(sequence: TokenSequence): Written {
  return { sequence, logprobs: new Float32Array(sequence.tokens.length - sequence.promptLength) }
}

export const sumOf = (values: ArrayLike<number>): number => Array.from(values).reduce((a, b) => a + b, 0)

/** Values as an extra of `length`, zeros after them. */
export function vector(length: number, values: readonly number[]) {
  const data = new Float32Array(length)
  data.set(values)
  return { shape: [length], data }
}

/** Equal parts of at most `size`, in order. */
export function chunks<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, k) => items.slice(k * size, (k + 1) * size))
}

/** The result of an update from those of its steps. */
export function resultOf(
  steps: readonly { readonly loss: number; readonly gradNorm: number; readonly tokens: number }[],
  metrics: readonly Readonly<Record<string, number>>[],
  used: number,
): UpdateResult {
  const mean = (values: readonly number[]) => sumOf(values) / Math.max(1, values.length)
  const names = Object.keys(metrics[0] ?? {})
  return {
    loss: mean(steps.map(({ loss }) => loss)),
    gradNorm: mean(steps.map(({ gradNorm }) => gradNorm)),
    used,
    tokens: sumOf(steps.map(({ tokens }) => tokens)),
    metrics: Object.fromEntries(names.map((name) => [name, mean(metrics.map((step) => step[name] ?? 0))])),
  }
}
