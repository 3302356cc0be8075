import { dpo, effectiveSampleSize, type PairChoice, selectPair } from '../alignment/index.js'
import { createTrainer, openModel, type TextTokenizer } from '../models/index.js'
import type { TokenSequence } from '../models/types.js'
import { assert } from '../runtime/kernel/errors.js'
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
  readonly chosenReward: number
  readonly rejectedReward: number
  /** k3 estimate of KL(writer ‖ learner) a token, in nats, before the update. */
  readonly mismatchKl: number
  /** Effective sample size of the tokens' importance ratios, as a fraction of their number. */
  readonly ess: number
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
    dpo({ beta, pairs: capacity, nllRows: mixRows, nllCoefficient: mixCoefficient, behaviour: true }),
    { optimizer: optimizerOf(0), engine: config.engine, rows: 2 * capacity + mixRows },
  )
  const padding = unwritten({ tokens: Int32Array.of(config.model.bosTokenId), promptLength: 1 })
  const reference = params.slice()
  const referenceModel = openModel(config.model, reference, { ...config.engine, batch: 2 * capacity })

  function optimizerOf(iteration: number) {
    const prompts = config.iterations[Math.min(iteration, config.iterations.length - 1)] ?? capacity
    return { ...optimizer, totalSteps: Math.ceil(prompts / capacity) }
  }

  /** A candidate as the learner reads it, with what its writer thought of each token. */
  function written(group: JudgedGroup, index: number): Written {
    const completion = group.completions[index]
    assert(completion, `candidate ${index} of ${group.promptId} is there`)
    const { tokens, logprobs } = completion
    return { sequence: toSequence(tokenizer, world.answerContext(group.prompt), tokens), logprobs }
  }

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
          : [{ chosen: written(group, choice.chosen), rejected: written(group, choice.rejected) }],
      )
      if (pairs.length === 0) return null
      const chosen = pairs.map((pair) => pair.chosen)
      const rejected = pairs.map((pair) => pair.rejected)
      const sums = (await referenceModel.logprobs([...chosen, ...rejected].map(({ sequence }) => sequence))).map(
        (row) => row.reduce((a, b) => a + b, 0),
      )
      const fill = Array.from({ length: capacity - pairs.length }, () => padding)
      const rows = [...chosen, ...fill, ...rejected, ...fill, ...mixed.map(unwritten)]
      const sequences = rows.map(({ sequence }) => sequence)
      const result = await trainer.step(sequences, [
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
        { perToken: rows.map(({ logprobs }) => logprobs) },
      ])
      const [, accuracy = 0, chosenReward = 0, rejectedReward = 0, margin = 0, ...apart] = result.metrics
      const [mismatchKl = 0, ratio = 0, ratioSquare = 0] = apart
      return {
        loss: result.loss,
        accuracy,
        margin,
        chosenReward,
        rejectedReward,
        mismatchKl,
        ess: effectiveSampleSize(ratio, ratioSquare),
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

/** A sequence, and one log-probability for each token of its completion. */
interface Written {
  readonly sequence: TokenSequence
  readonly logprobs: Float32Array
}

/** A sequence that no policy of this run wrote; its log-probabilities are not looked at. */
function unwritten(sequence: TokenSequence): Written {
  return { sequence, logprobs: new Float32Array(sequence.tokens.length - sequence.promptLength) }
}

function vector(length: number, values: readonly number[]) {
  const data = new Float32Array(length)
  data.set(values)
  return { shape: [length], data }
}
