import type { Correction } from '../../alignment/index.js'
import { openModel } from '../../models/index.js'
import type { OptimizerOptions, TokenSequence, Trainer } from '../../models/types.js'
import { assert } from '../../runtime/kernel/errors.js'
import type { JudgedGroup } from '../messages.js'
import { toSequence } from '../supervised.js'
import type { ObjectiveContext, ObjectiveState, Written } from './objective.js'
import { createReplay, type ReplayState } from './replay.js'

/** What every objective does alike: the reference model, the schedule, and what a snapshot of it holds. */
export function createBase<T>(
  { config, training, params, tokenizer, world, random }: ObjectiveContext,
  trainer: Trainer,
  batch: number,
) {
  const reference = params.slice()
  const model = openModel(config.model, reference, { ...config.engine, batch })
  const replay = createReplay<T>(training.replay, random)

  /** What was written after a context, as the learner reads it. */
  const writtenAfter = (
    context: string,
    { tokens, logprobs }: { readonly tokens: Int32Array; readonly logprobs: Float32Array },
  ): Written => ({ sequence: toSequence(tokenizer, context, tokens), logprobs })

  return {
    replay,
    /** Per-token log ref of each completion. */
    reference: (sequences: readonly TokenSequence[]) => model.logprobs(sequences),

    async begin(iteration: number, next: Float32Array | undefined): Promise<void> {
      replay.begin(iteration)
      if (!next) return
      await trainer.pull()
      reference.set(next)
      trainer.resetOptimizer(optimizerOf(config, training, iteration))
    },

    snapshot: async (): Promise<ObjectiveState> => ({
      reference: reference.slice(),
      optimizer: await trainer.state(),
      further: { replay: replay.snapshot() },
    }),
    restore(state: ObjectiveState, iteration: number): void {
      reference.set(state.reference)
      if (iteration >= 0) trainer.resetOptimizer(optimizerOf(config, training, iteration))
      trainer.restore(state.optimizer)
      replay.restore(state.further.replay as ReplayState<T>)
    },
    async dispose(): Promise<void> {
      await trainer.dispose()
      await model.dispose()
    },

    /** A candidate as the learner reads it, with what its writer thought of each token. */
    written(group: JudgedGroup, index: number): Written {
      const completion = group.completions[index]
      assert(completion, `candidate ${index} of ${group.promptId} is there`)
      return writtenAfter(world.answerContext(group.prompt), completion)
    },
    writtenAfter,
  }
}

/** The optimizer of an iteration: with M1 as reference one schedule goes through all of them. */
export function optimizerOf(
  config: ObjectiveContext['config'],
  training: ObjectiveContext['training'],
  iteration: number,
): OptimizerOptions {
  const { iterations, promptsPerUpdate } = config
  const updates = iterations.map((prompts) => Math.ceil(prompts / promptsPerUpdate))
  const own = updates[Math.min(Math.max(0, iteration), updates.length - 1)] ?? 1
  const all = updates.reduce((a, b) => a + b, 0)
  return { ...training.optimizer, totalSteps: (training.reference === 'first' ? all : own) * training.epochs }
}

/** Importance weights as the losses take them; undefined where there are none. */
export function correctionOf({ correction }: ObjectiveContext['training']): Correction | undefined {
  const { kind, level, cap, low, high } = correction
  if (kind === 'none') return undefined
  return kind === 'truncate' ? { kind, level, cap } : { kind, level, low, high }
}
