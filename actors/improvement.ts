import { quantileSorted } from 'simple-statistics'
import { aboveThreshold } from '../alignment/index.js'
import type { Random } from '../runtime/time/random.js'
import type { JudgedGroup } from './messages.js'
import { chunks } from './objectives/objective.js'
import type { GroupOutcome } from './selection.js'

/**
 * What the passes at an iteration's end train on (ReST's Improve steps after a Grow step): all of the iteration's groups, each pass
 * with the completions whose scores are above a quantile of all of them; the best always are, unless all scores are equal.
 */
export function createImprovement(random: Random) {
  let grown: JudgedGroup[] = []
  return {
    begin(): void {
      grown = []
    },
    add(groups: readonly JudgedGroup[]): void {
      grown.push(...groups)
    },
    /** Groups in a random order, `size` at a time, with what is above the quantile selected. */
    *pass(quantile: number, size: number, version: number): Generator<GroupOutcome[]> {
      const scores = grown.flatMap(({ judgments }) =>
        judgments.flatMap(({ score }) => (score === undefined ? [] : [score])),
      )
      scores.sort((a, b) => a - b)
      const below = scores.findLast((score) => score < (scores.at(-1) as number))
      if (below === undefined) return
      const threshold = Math.min(below, quantileSorted(scores, quantile)) // of equal scores at the top all are kept
      const outcomes = random
        .stream('improve', version, quantile)
        .shuffle(grown)
        .flatMap((group): GroupOutcome[] => {
          const singles = aboveThreshold(
            group.judgments.map(({ score }) => score),
            threshold,
          )
          return singles.length > 0 ? [{ group, selected: { singles } }] : []
        })
      yield* chunks(outcomes, size)
    },
    snapshot: (): readonly JudgedGroup[] => [...grown],
    restore(state: readonly JudgedGroup[]): void {
      grown = [...state]
    },
  }
}
