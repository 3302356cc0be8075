import type { z } from 'zod'
import type { Faults, TroupeState } from '../runtime/index.js'
import type { RunEvent } from '../runtime/observe/events.js'
import type { Backend } from '../runtime/tensor/index.js'
import type { BooksState } from './books.js'
import type { Summary } from './summary.js'

/** Where a run is, as a structured clone can hold it. */
export interface RunState {
  readonly troupe: TroupeState
  readonly books: BooksState
  readonly elapsedMs: number
}

export interface RunOptions<C> {
  /** Already validated by the scenario's schema, presets and `--set` applied. */
  readonly config: C
  readonly seed: number
  readonly stage: 'inline' | 'threads' | 'virtual'
  readonly backend: Backend
  /** The run folder; exists. Checkpoints go to `checkpoints/` inside. */
  readonly out: string
  readonly observe: (event: RunEvent) => void
  readonly signal: AbortSignal
  /** Keeps snapshots of the run, each copied before `save` returns. */
  readonly journal?: { save(state: RunState): Promise<void> } | undefined
  /** Goes on from a snapshot of a run with the same configuration. */
  readonly resume?: RunState | undefined
  /** Failures that are put into a run of the `virtual` stage. */
  readonly faults?: Faults | undefined
}

/** A row of the survey's closing table: what a method learns from, and with how many models. */
export interface MethodTraits {
  /** Which human preferences it needs, if any. */
  readonly humanPreferences: 'reward model' | 'pairs' | 'demonstrations' | 'seed judgments' | 'none'
  /** How fresh the policy's own completions are that it learns from. */
  readonly onPolicy: 'every step' | 'per iteration' | 'initial model' | 'no'
  /** When completions are rated. */
  readonly feedback: 'online' | 'per iteration' | 'offline'
  /** Models that are read and not trained while the policy is. */
  readonly frozen: readonly string[]
  readonly trainable: readonly string[]
}

/** One method: a wiring of roles. `run` returns the summary; the caller writes the rest of the run folder. */
export interface Scenario<S extends z.ZodObject = z.ZodObject> {
  readonly name: string
  readonly title: string
  readonly description: string
  /** Every key with a default and a description; unknown keys are refused. */
  readonly config: S
  /** Partial configurations, laid under `--set`. The first is the default. */
  readonly presets: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  /** The actors that compute with tensors: with a backend that is for one thread of a process, each needs a process. */
  readonly computing?: readonly string[] | undefined
  readonly traits?: MethodTraits | undefined
  run(options: RunOptions<z.output<S>>): Promise<Summary>
}
