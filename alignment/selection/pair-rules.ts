import type { Random } from '../../runtime/time/index.js'
import type { PairChoice } from './pairs.js'
import { type Opinion, verdictOf } from './verdict.js'

/** Indices of a pair's two candidates. */
export interface ChosenPair {
  readonly chosen: number
  readonly rejected: number
}

const isScore = (score: number | undefined): score is number => score !== undefined && !Number.isNaN(score)

/**
 * The pair of two answers from an annotator's opinion of them. A tie goes to the first under `first` (OAIF: the winner is
 * whoever has at least ½; TRL), to nobody under `drop` (RLHFlow, InstructGPT); an invalid opinion always to nobody.
 */
export function judgedPair(opinion: Opinion, ties: 'first' | 'drop'): PairChoice {
  const verdict = verdictOf(opinion)
  if (verdict === 'invalid') return { dropped: 'unreadable' }
  if (verdict === 'second') return { chosen: 1, rejected: 0 }
  return verdict === 'tie' && ties === 'drop' ? { dropped: 'tie' } : { chosen: 0, rejected: 1 }
}

/** The pair of two scored answers, of which the first wins a tie (OAIF; TRL's online DPO). */
export function firstWins(scores: readonly [number | undefined, number | undefined]): PairChoice {
  const [first, second] = scores
  if (!isScore(first) || !isScore(second)) return { dropped: 'unreadable' }
  return first >= second ? { chosen: 0, rejected: 1 } : { chosen: 1, rejected: 0 }
}

/** Every two candidates that their scores order; ties and unreadable scores give none. */
export function allPairs(scores: readonly (number | undefined)[]): ChosenPair[] {
  return scores.flatMap((a, chosen) =>
    scores.flatMap((b, rejected) => (isScore(a) && isScore(b) && a > b ? [{ chosen, rejected }] : [])),
  )
}

/**
 * Candidates paired at random, each in one pair at most (RSO's first-round ranking: 8 accepted make 4 pairs, which a ranker
 * then labels). Of an odd number one is left over.
 */
export function randomPairs<T>(candidates: readonly T[], random: Random): (readonly [T, T])[] {
  const order = random.shuffle(candidates)
  return Array.from({ length: Math.floor(order.length / 2) }, (_, i) => [order[2 * i] as T, order[2 * i + 1] as T])
}

/**
 * Click's pairs (Zheng et al. 2023, arXiv:2306.03350): each generation with the undesired attribute is set against one
 * without, of comparable likelihood: the most likely of those that are less likely than itself. Where none is, there is no
 * pair. One without the attribute may be in several pairs.
 *
 * **Not verified**: the paper's exact rule is not in its published code; this is its "likelihood ranking" as described.
 *
 * @param logprobs log π of each generation, sums
 * @param isUndesired by the attribute's classifier
 */
export function likelihoodRankedPairs(logprobs: readonly number[], isUndesired: readonly boolean[]): ChosenPair[] {
  return logprobs.flatMap((own, rejected) => {
    if (!isUndesired[rejected]) return []
    const below = logprobs.flatMap((other, i) => (!isUndesired[i] && other < own ? [i] : []))
    if (below.length === 0) return []
    const chosen = below.reduce((best, i) => ((logprobs[i] as number) > (logprobs[best] as number) ? i : best))
    return [{ chosen, rejected }]
  })
}
