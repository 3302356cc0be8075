import { assert } from '../runtime/kernel/errors.js'
import { type Objective, type ObjectiveState, openObjective } from './objectives/index.js'
import type { ObjectiveContext } from './objectives/objective.js'
import type { TrainingConfig } from './training-config.js'

export interface PhasesState {
  /** Which of `training` is at work. */
  readonly phase: number
  readonly objective: ObjectiveState
  /** M1, where it is the reference throughout. */
  readonly first: Float32Array | undefined
}

/** The objectives of a run, one after another: iterations train by `training[iteration]`, the last entry serves the rest. */
export function createPhases(context: Omit<ObjectiveContext, 'training'>) {
  const { config, params } = context
  const keepsFirst = config.training.some(({ reference }) => reference === 'first')
  let current: { readonly phase: number; readonly training: TrainingConfig; readonly objective: Objective } | undefined
  let first: Float32Array | undefined

  function at(phase: number) {
    const training = config.training[phase]
    assert(training, `phase ${phase} is configured`)
    return { phase, training, objective: openObjective({ ...context, training }) }
  }

  function now() {
    assert(current, 'preference training has begun')
    return current
  }

  return {
    now,
    /** After supervised training: `params` are M1. */
    open(): void {
      if (keepsFirst) first = params.slice()
      current = at(0)
    },
    /** The objective of an iteration, with its reference where it gets a new one. */
    async begin(iteration: number): Promise<void> {
      await now().objective.pull()
      const phase = Math.min(iteration, config.training.length - 1)
      const isNew = phase !== now().phase
      if (isNew) {
        await now().objective.dispose()
        current = at(phase)
      }
      const { training, objective } = now()
      const isFirst = training.reference === 'first'
      const reference = isFirst ? (isNew || iteration === 0 ? first : undefined) : params
      await objective.begin(iteration, reference)
    },
    async pull(): Promise<void> {
      await current?.objective.pull()
    },
    async snapshot(): Promise<PhasesState> {
      const { phase, objective } = now()
      return { phase, objective: await objective.snapshot(), first: first?.slice() }
    },
    /** `params` are set by then. */
    restore(state: PhasesState, iteration: number): void {
      first = state.first?.slice()
      current = at(state.phase)
      current.objective.restore(state.objective, iteration)
    },
    async dispose(): Promise<void> {
      await current?.objective.dispose()
    },
  }
}
