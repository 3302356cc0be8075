import { z } from 'zod'
import {
  aboveThreshold,
  allPairs,
  bestOf,
  type ChosenPair,
  judgedPair,
  lengthTierPair,
  likelihoodRankedPairs,
  type PairChoice,
  probabilityOf,
  selectPair,
} from '../alignment/index.js'
import type { JudgedGroup } from './messages.js'

/** What of a group is trained on: pairs, or completions by themselves (indices). Else why nothing is. */
export type Selected =
  | { readonly pairs: readonly ChosenPair[] }
  | { readonly singles: readonly number[] }
  | { readonly dropped: 'tie' | 'unreadable' | 'unselected' }

export interface GroupOutcome {
  readonly group: JudgedGroup
  readonly selected: Selected
}

export const selectionSchema = z
  .strictObject({
    rule: z
      .enum(['best-worst', 'compared', 'all-pairs', 'listed', 'best', 'threshold', 'likelihood', 'length-tier', 'all'])
      .default('best-worst')
      .describe(
        'best-worst by score; compared: each comparison’s winner; all-pairs that scores order; listed: people’s over the others; best: the best alone; threshold: those above it; likelihood: Click’s pairs; length-tier: meta-rewarding’s; all: every scored completion',
      ),
    minGap: z.number().min(0).default(0).describe('best-worst: least difference of scores; equal scores never pair'),
    ties: z.enum(['first', 'drop']).default('drop').describe('compared: what becomes of a tie'),
    threshold: z
      .number()
      .default(0)
      .describe('threshold, likelihood: scores above it are kept, or are the desired ones'),
    rho: z.number().min(0).lt(1).default(0).describe('length-tier: width of the tiers; 0 is best against worst'),
  })
  .prefault({})
export type Selection = z.output<typeof selectionSchema>

/** Applies a rule of selection to one judged group. */
export function select(group: JudgedGroup, options: Selection): Selected {
  const scores = group.judgments.map(({ score }) => score)
  const readable = scores.flatMap((score, i) => (score === undefined ? [] : [i]))
  switch (options.rule) {
    case 'best-worst':
      return onePair(selectPair(scores, options))
    case 'length-tier':
      return onePair(
        lengthTierPair(
          scores,
          group.completions.map(({ tokens }) => tokens.length),
          options.rho,
        ),
      )
    case 'all-pairs':
      return somePairs(allPairs(scores), readable.length < 2 ? 'unreadable' : 'tie')
    case 'compared':
      return compared(group, options.ties)
    case 'listed': {
      const [people, others] = partition(group.completions, ({ writer }) => writer === 'people')
      const pairs = people.flatMap((chosen) => others.map((rejected) => ({ chosen, rejected })))
      return somePairs(pairs, 'unselected')
    }
    case 'likelihood': {
      if (readable.length < scores.length) return { dropped: 'unreadable' }
      const logprobs = group.completions.map((completion) => completion.logprobs.reduce((sum, value) => sum + value, 0))
      const isUndesired = scores.map((score) => (score ?? 0) <= options.threshold)
      return somePairs(likelihoodRankedPairs(logprobs, isUndesired), 'unselected')
    }
    case 'best': {
      const best = bestOf(scores)
      return best === undefined ? { dropped: 'unreadable' } : { singles: [best] }
    }
    case 'threshold':
      if (readable.length === 0) return { dropped: 'unreadable' }
      return some(aboveThreshold(scores, options.threshold), 'unselected')
    case 'all':
      return some(rated(group), 'unreadable')
  }
}

/** Completions that have a score, or stand in a comparison that could be read. */
function rated({ judgments, comparisons = [] }: JudgedGroup): number[] {
  const compared = new Set(
    comparisons.flatMap(({ first, second, opinion }) => (probabilityOf(opinion) === undefined ? [] : [first, second])),
  )
  return judgments.flatMap(({ score }, i) => (score !== undefined || compared.has(i) ? [i] : []))
}

function compared(group: JudgedGroup, ties: 'first' | 'drop'): Selected {
  const choices = (group.comparisons ?? []).map(({ first, second, opinion }) => {
    const choice = judgedPair(opinion, ties)
    if ('dropped' in choice) return choice
    return choice.chosen === 0 ? { chosen: first, rejected: second } : { chosen: second, rejected: first }
  })
  const pairs = choices.flatMap((choice) => ('dropped' in choice ? [] : [choice]))
  const isTie = choices.some((choice) => 'dropped' in choice && choice.dropped === 'tie')
  return somePairs(pairs, isTie ? 'tie' : 'unreadable')
}

const onePair = (choice: PairChoice): Selected => ('dropped' in choice ? choice : { pairs: [choice] })

const some = (singles: readonly number[], dropped: 'unreadable' | 'unselected'): Selected =>
  singles.length > 0 ? { singles } : { dropped }

const somePairs = (pairs: readonly ChosenPair[], dropped: 'tie' | 'unreadable' | 'unselected'): Selected =>
  pairs.length > 0 ? { pairs } : { dropped }

function partition<T>(items: readonly T[], isFirst: (item: T) => boolean): [number[], number[]] {
  const indices = items.map((_, i) => i)
  return [indices.filter((i) => isFirst(items[i] as T)), indices.filter((i) => !isFirst(items[i] as T))]
}
