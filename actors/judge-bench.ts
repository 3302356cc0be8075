import {
  exactMatch,
  fiveBest,
  type Interval,
  kendall,
  pairAccuracies,
  pairAccuracy,
  pairedDifference,
  spearman,
} from '../alignment/index.js'
import { type JudgeOptions, judgeGroups } from './judge.js'
import type { Policy } from './policy.js'
import type { RankedAnswers, World } from './world.js'

/** How a model's judging agrees with the gold order; a figure that is undefined is null. */
export interface JudgeAgreement {
  readonly pairAccuracy: number | null
  readonly exactMatch: number | null
  readonly fiveBest: number | null
  readonly spearman: number | null
  readonly kendall: number | null
  /** Fraction of verdicts that could not be read. */
  readonly unreadable: number
  /** Pair accuracy less that of the first model measured, prompt by prompt, with its 95 % interval. */
  readonly sinceFirst: Interval
}

export interface JudgeBench {
  /** Lets the policy's present weights judge the set, always with the same chance. */
  measure(): Promise<JudgeAgreement>
  /** Accuracies of the first model measured, prompt by prompt. */
  snapshot(): (number | null)[] | undefined
  restore(first: (number | null)[] | undefined): void
}

/** Of an empty set: a policy that does not judge. */
const NOTHING: JudgeAgreement = {
  ...{ pairAccuracy: null, exactMatch: null, fiveBest: null, spearman: null, kendall: null },
  unreadable: 0,
  sinceFirst: { mean: 0, low: 0, high: 0 },
}

export function createJudgeBench(
  policy: Policy,
  world: World,
  judgeSet: readonly RankedAnswers[],
  options: JudgeOptions,
): JudgeBench {
  let first: (number | null)[] | undefined
  const questions = judgeSet.map(({ prompt, answers }, i) => ({
    promptId: `${i}`,
    prompt,
    completions: answers.map((text) => ({ text })),
  }))
  async function measure(): Promise<JudgeAgreement> {
    if (judgeSet.length === 0) return NOTHING
    const judged = await judgeGroups(policy, world, questions, options)
    const ranked = judgeSet.map(({ points }, i) => ({
      gold: points,
      judged: (judged[i] ?? []).map(({ score }) => score),
    }))
    const accuracies = pairAccuracies(ranked)
    first ??= accuracies
    const all = judged.flat()
    const unreadable = all.reduce((sum, judgment) => sum + judgment.unreadable, 0)
    return {
      pairAccuracy: pairAccuracy(ranked),
      exactMatch: exactMatch(ranked),
      fiveBest: fiveBest(ranked),
      spearman: spearman(ranked),
      kendall: kendall(ranked),
      unreadable: unreadable / Math.max(1, all.length * options.judgments),
      sinceFirst: pairedDifference(accuracies, first),
    }
  }

  return {
    measure,
    snapshot: () => first,
    restore(state) {
      first = state
    },
  }
}
