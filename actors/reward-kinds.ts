import { pairRankerObjective, preferencesOf, probabilityOf, rewardModelObjective } from '../alignment/index.js'
import type { RewardLoss, TrainingExtra } from '../models/index.js'
import { TroupeError } from '../runtime/kernel/errors.js'
import type { Random } from '../runtime/time/random.js'
import type { JudgedGroup } from './messages.js'

/** What a reward model learns from one prompt: K answers, and K × K, row by row, P(the first is better). */
export interface RewardExample {
  readonly prompt: string
  readonly answers: readonly string[]
  /** p at [i, j] and 1 − p at [j, i]; 0 at both where the two were not compared, or tie. */
  readonly preferred: readonly number[]
}

/** The texts that it reads, as tokens. */
export interface RewardReader {
  one(prompt: string, answer: string): Int32Array
  two(prompt: string, first: string, second: string): Int32Array
}

/** A way to make a scalar head a judge. */
export interface RewardKind {
  /** Sequences of each prompt in a training step. */
  readonly rows: number
  /** Over `prompts` prompts. */
  loss(prompts: number): RewardLoss
  /** One step's sequences, and the loss's extras; prompts that are not there are padding. */
  lay(examples: readonly RewardExample[], prompts: number, random: Random): Laid
}

interface Laid {
  readonly sequences: Int32Array[]
  readonly extras: TrainingExtra[]
}

/** A group's labels: comparisons where there are any, else its scores. `E_CONFIG` for more than `most` answers. */
export function exampleOf(group: JudgedGroup, most: number): RewardExample {
  const { prompt, completions, comparisons } = group
  const K = completions.length
  if (K > most)
    throw new TroupeError(
      'E_CONFIG',
      `the training data have ${K} answers to a prompt, and only ${most} were announced`,
      {
        where: 'answers',
        hint: `Set answers of the reward model to ${K}`,
      },
    )
  const answers = completions.map(({ text }) => text)
  if (!comparisons) return { prompt, answers, preferred: [...preferencesOf(group.judgments.map(({ score }) => score))] }
  const preferred = new Array<number>(K * K).fill(0)
  for (const { first, second, opinion } of comparisons) {
    const probability = opinion === 'tie' ? undefined : probabilityOf(opinion)
    if (probability === undefined) continue
    preferred[first * K + second] = probability
    preferred[second * K + first] = 1 - probability
  }
  return { prompt, answers, preferred }
}

/** Scores each answer by itself: r(x, y). */
function pointwise(reader: RewardReader, K: number, padding: Int32Array): RewardKind {
  return {
    rows: K,
    loss: (prompts) => rewardModelObjective({ prompts, completions: K }),
    lay(examples, prompts) {
      const data = new Float32Array(prompts * K * K)
      const sequences = Array.from({ length: prompts * K }, () => padding)
      examples.forEach(({ prompt, answers, preferred }, b) => {
        answers.forEach((answer, i) => {
          sequences[b * K + i] = reader.one(prompt, answer)
          answers.forEach((_, j) => {
            data[(b * K + i) * K + j] = preferred[i * answers.length + j] as number
          })
        })
      })
      return { sequences, extras: [{ shape: [prompts, K, K], data }] }
    },
  }
}

/** Reads both answers of a pair, in an order that is drawn: so that it cannot learn to like a place. */
function pairwise(reader: RewardReader, K: number, padding: Int32Array): RewardKind {
  const pairs = (K * (K - 1)) / 2
  return {
    rows: pairs,
    loss: () => pairRankerObjective,
    lay(examples, prompts, random) {
      const probability = new Float32Array(prompts * pairs)
      const weight = new Float32Array(prompts * pairs)
      const sequences = Array.from({ length: prompts * pairs }, () => padding)
      examples.forEach((example, b) => {
        const compared = pairsOf(example)
        compared.forEach(({ i, j, p }, k) => {
          const { prompt, answers } = example
          const [first, second] = [answers[i] as string, answers[j] as string]
          const flipped = random.chance(0.5)
          const row = b * pairs + k
          sequences[row] = flipped ? reader.two(prompt, second, first) : reader.two(prompt, first, second)
          probability[row] = flipped ? 1 - p : p
          weight[row] = 1 / compared.length
        })
      })
      return {
        sequences,
        extras: [
          { shape: [prompts * pairs], data: probability },
          { shape: [prompts * pairs], data: weight },
        ],
      }
    },
  }
}

export const rewardKinds = { pointwise, pairwise } as const

/** The comparisons of a prompt, each once. */
export function pairsOf({ answers, preferred }: RewardExample): { i: number; j: number; p: number }[] {
  const K = answers.length
  return answers.flatMap((_, i) =>
    answers.slice(i + 1).flatMap((_, k) => {
      const j = i + 1 + k
      const [p = 0, q = 0] = [preferred[i * K + j], preferred[j * K + i]]
      return p + q > 0 ? [{ i, j, p }] : []
    }),
  )
}
