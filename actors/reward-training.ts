import { createRewardTrainer } from '../models/index.js'
import type { Trainer } from '../models/types.js'
import { assert } from '../runtime/kernel/errors.js'
import type { Random } from '../runtime/time/random.js'
import type { RewardModelConfig } from './reward-config.js'
import { pairsOf, type RewardExample, type RewardKind } from './reward-kinds.js'

/** Sequences are padded to a multiple of this. */
const LENGTH_BUCKET = 8

export interface RewardTrainingState {
  readonly updates: number
  readonly optimizer: Awaited<ReturnType<Trainer['state']>>
}

/** Fits a decoder with a scalar head, `flat`, to comparisons. */
export function createRewardTraining(config: RewardModelConfig, flat: Float32Array, kind: RewardKind, random: Random) {
  const { batch, optimizer, heldOut, prompts } = config
  const totalSteps = Math.max(1, Math.ceil((prompts * (1 - heldOut)) / batch))
  const trainer = createRewardTrainer(config.model, flat, kind.loss(batch), {
    optimizer: { ...optimizer, totalSteps },
    engine: config.engine,
    rows: batch * kind.rows,
    lengthBucket: LENGTH_BUCKET,
  })
  let updates = 0

  /** Prompts of like length share a step, and steps come in random order. */
  function steps(examples: readonly RewardExample[], chance: Random): RewardExample[][] {
    const sorted = chance.shuffle(examples).sort((a, b) => lengthOf(a) - lengthOf(b))
    const count = Math.ceil(sorted.length / batch)
    return chance.shuffle(Array.from({ length: count }, (_, i) => sorted.slice(i * batch, (i + 1) * batch)))
  }

  return {
    /** One pass over the examples that have a comparison; means over its steps, undefined where there were none. */
    async train(examples: readonly RewardExample[]) {
      const chance = random.stream('training', updates++)
      const compared = examples.filter((example) => pairsOf(example).length > 0)
      let [loss, accuracy, count, tokens] = [0, 0, 0, 0]
      for (const step of steps(compared, chance)) {
        const { sequences, extras } = kind.lay(step, batch, chance)
        const result = await trainer.step(
          sequences.map((tokens) => ({ tokens, promptLength: tokens.length })),
          extras,
        )
        const [, right] = result.metrics
        assert(right !== undefined, 'the loss of a reward model tells its accuracy')
        loss += result.loss
        accuracy += right
        tokens += result.tokens
        count++
      }
      return count === 0 ? undefined : { loss: loss / count, accuracy: accuracy / count, tokens }
    },
    /** Brings `flat` up to date. */
    pull: () => trainer.pull(),
    snapshot: async (): Promise<RewardTrainingState> => ({ updates, optimizer: await trainer.state() }),
    /** Goes on from a snapshot; `flat` is set by then. */
    restore(state: RewardTrainingState) {
      updates = state.updates
      trainer.restore(state.optimizer)
    },
    dispose: () => trainer.dispose(),
  }
}

function lengthOf({ prompt, answers }: RewardExample): number {
  const words = (text: string) => text.split(' ').length
  return words(prompt) + Math.max(...answers.map(words))
}
