import { bothOrders, verdictOf } from '../alignment/index.js'
import { openRewardModel, type TextTokenizer } from '../models/index.js'
import { TroupeError } from '../runtime/kernel/errors.js'
import type { Random } from '../runtime/time/random.js'
import { answerTokens } from './policy.js'
import type { Rater } from './rater.js'
import type { RewardModelConfig } from './reward-config.js'
import { pairsOf, type RewardExample, type RewardReader } from './reward-kinds.js'
import type { World } from './world.js'

/** What scores are brought to: (r − mean) / deviation. */
export interface RewardScale {
  readonly mean: number
  readonly deviation: number
}

/** What the measuring of a reward model gave. */
interface RewardMeasure {
  /** Comparisons that it orders as their labels do, weighted by these, a tie half; null where there are none. */
  readonly accuracy: number | null
  readonly scale: RewardScale
}

export const rewardReader = (world: World, tokenizer: TextTokenizer): RewardReader => {
  const read = (prompt: string, ...answers: string[]) =>
    Int32Array.from(
      [
        tokenizer.encode(world.answerContext(prompt)),
        ...answers.map((answer) => answerTokens(world, tokenizer, prompt, answer)),
      ].flatMap((tokens) => [...tokens]),
    )
  return { one: read, two: read }
}

/** A trained reward model as a rater. Scores are scaled; a ranker has none, and refuses to give some with `E_CONFIG`. */
export function createRewardRater(config: RewardModelConfig, flat: Float32Array, reader: RewardReader) {
  const model = openRewardModel(config.model, flat, config.engine)
  let scale: RewardScale = { mean: 0, deviation: 1 }

  const rewards = (texts: readonly { prompt: string; answer: string }[]) =>
    model.scores(texts.map(({ prompt, answer }) => reader.one(prompt, answer)))

  const pointwise: Rater = {
    async score(questions) {
      const found = await rewards(questions)
      return Array.from(found, (reward) => {
        const score = (reward - scale.mean) / scale.deviation
        return { score, verdicts: [score], unreadable: 0 }
      })
    },
    async compare(matches) {
      const found = await rewards(
        matches.flatMap(({ prompt, first, second }) => [first, second].map((answer) => ({ prompt, answer }))),
      )
      return matches.map((_, i) => sigmoid((found[2 * i] as number) - (found[2 * i + 1] as number)))
    },
  }

  const pairwise: Rater = {
    score: () =>
      Promise.reject(
        new TroupeError('E_CONFIG', 'a pairwise ranker compares answers, it has no score of one', {
          where: 'label',
          hint: 'Label by pairs or tournament, or take kind pointwise',
        }),
      ),
    compare: async (matches) =>
      Array.from(
        await model.scores(matches.map(({ prompt, first, second }) => reader.two(prompt, first, second))),
        sigmoid,
      ),
  }

  const rater = { pointwise, pairwise }[config.kind]

  return {
    rater,
    /** Scores are scaled like this from now on. */
    use(given: RewardScale) {
      scale = given
    },
    /** How it agrees with labels that it was not trained on, and the mean and deviation of their answers' rewards. */
    async measure(examples: readonly RewardExample[], random: Random): Promise<RewardMeasure> {
      const pairs = examples.flatMap((example) => pairsOf(example).map((pair) => ({ ...pair, example })))
      const shown = (swapped: boolean) =>
        rater.compare(
          pairs.map(({ example: { prompt, answers }, i, j }) => {
            const [first, second] = [answers[i] as string, answers[j] as string]
            return swapped ? { prompt, first: second, second: first, random } : { prompt, first, second, random }
          }),
        )
      const [ab, ba] = [await shown(false), await shown(true)]
      const right = pairs.reduce((sum, { p }, k) => {
        const verdict = verdictOf(bothOrders(ab[k] ?? 'invalid', ba[k] ?? 'invalid'))
        return sum + { first: p, second: 1 - p, tie: 0.5, invalid: 0 }[verdict]
      }, 0)
      return { accuracy: pairs.length === 0 ? null : right / pairs.length, scale: await scaleOf(examples) }
    },
    dispose: () => model.dispose(),
  }

  async function scaleOf(examples: readonly RewardExample[]): Promise<RewardScale> {
    if (config.normalize === 'none' || config.kind === 'pairwise' || examples.length === 0) return scale
    const found = await rewards(
      examples.flatMap(({ prompt, answers }) => answers.map((answer) => ({ prompt, answer }))),
    )
    const mean = found.reduce((sum, reward) => sum + reward, 0) / found.length
    const variance = found.reduce((sum, reward) => sum + (reward - mean) ** 2, 0) / found.length
    return { mean, deviation: Math.sqrt(variance) || 1 }
  }
}

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x))
