import { dpo, type PairChoice, selectPair } from '../alignment/index.js'
import { createTrainer, openModel, type TextTokenizer } from '../models/index.js'
import type { TokenSequence } from '../models/types.js'
import type { LearnerConfig } from './learner-config.js'
import type { LearnerState } from './learner-state.js'
import type { JudgedGroup } from './messages.js'
import { toSequence } from './supervised.js'
import type { World } from './world.js'

export interface GroupOutcome {
  readonly group: JudgedGroup
  readonly choice: PairChoice
}

export interface UpdateResult {
  readonly loss: number
  readonly accuracy: number
  readonly margin: number
  readonly gradNorm: number
  readonly pairs: number
  readonly tokens: number
}

/**
 * Direct preference optimisation: best against worst of each group, with the iteration's first model as reference.
 * One update takes the pairs of `promptsPerUpdate` groups; rows are [chosen…, rejected…, demonstrations…].
 */
export function createPreference(config: LearnerConfig, params: Float32Array, tokenizer: TextTokenizer, world: World) {
  const { beta, mixRows, mixCoefficient, optimizer, minGap } = config.dpo
  const capacity = config.promptsPerUpdate
  const trainer = createTrainer(
    config.model,
    params,
    dpo({ beta, pairs: capacity, nllRows: mixRows, nllCoefficient: mixCoefficient }),
    { optimizer: optimizerOf(0), engine: config.engine, rows: 2 * capacity + mixRows },
  )
  const padding: TokenSequence = { tokens: Int32Array.of(config.model.bosTokenId), promptLength: 1 }
  const reference = params.slice()
  const referenceModel = openModel(config.model, reference, { ...config.engine, batch: 2 * capacity })

  function optimizerOf(iteration: number) {
    const prompts = config.iterations[Math.min(iteration, config.iterations.length - 1)] ?? capacity
    return { ...optimizer, totalSteps: Math.ceil(prompts / capacity) }
  }

  const sequenceOf = (group: JudgedGroup, index: number): TokenSequence =>
    toSequence(tokenizer, world.answerContext(group.prompt), group.completions[index]?.tokens ?? new Int32Array())

  return {
    /** Makes the present weights the reference and starts the optimizer afresh. */
    async begin(iteration: number): Promise<void> {
      await trainer.pull()
      reference.set(params)
      trainer.resetOptimizer(optimizerOf(iteration))
    },

    choose: (group: JudgedGroup): GroupOutcome => ({
      group,
      choice: selectPair(
        group.judgments.map(({ score }) => score),
        { minGap },
      ),
    }),

    /** One update; null when no group gave a pair (weights stay as they are). */
    async update(outcomes: readonly GroupOutcome[], mixed: readonly TokenSequence[]): Promise<UpdateResult | null> {
      const pairs = outcomes.flatMap(({ group, choice }) =>
        'dropped' in choice
          ? []
          : [{ chosen: sequenceOf(group, choice.chosen), rejected: sequenceOf(group, choice.rejected) }],
      )
      if (pairs.length === 0) return null
      const chosen = pairs.map((pair) => pair.chosen)
      const rejected = pairs.map((pair) => pair.rejected)
      const sums = (await referenceModel.logprobs([...chosen, ...rejected])).map((row) =>
        row.reduce((a, b) => a + b, 0),
      )
      const fill = Array.from({ length: capacity - pairs.length }, () => padding)
      const rows = [...chosen, ...fill, ...rejected, ...fill, ...mixed]
      const result = await trainer.step(rows, [
        vector(capacity, sums.slice(0, pairs.length)),
        vector(capacity, sums.slice(pairs.length)),
        vector(
          capacity,
          pairs.map(() => 1),
        ),
        vector(
          mixRows,
          mixed.map(() => 1),
        ),
      ])
      const [, accuracy = 0, , , margin = 0] = result.metrics
      return {
        loss: result.loss,
        accuracy,
        margin,
        gradNorm: result.gradNorm,
        pairs: pairs.length,
        tokens: result.tokens,
      }
    },

    /** Brings `params` up to date. */
    pull: () => trainer.pull(),
    snapshot: async () => ({ reference: reference.slice(), optimizer: await trainer.state() }),
    /** Goes on from a snapshot in an iteration (−1: before the first); `params` are set by then. */
    restore(state: NonNullable<LearnerState['preference']>, iteration: number) {
      reference.set(state.reference)
      if (iteration >= 0) trainer.resetOptimizer(optimizerOf(iteration))
      trainer.restore(state.optimizer)
    },

    async dispose() {
      await trainer.dispose()
      await referenceModel.dispose()
    },
  }
}

function vector(length: number, values: readonly number[]) {
  const data = new Float32Array(length)
  data.set(values)
  return { shape: [length], data }
}
