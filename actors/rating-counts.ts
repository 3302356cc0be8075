import { z } from 'zod'
import { meanOf, positionBias, verdictOf } from '../alignment/index.js'
import type { ActorContext } from '../runtime/kernel/actor.js'
import type { LabelledGroup } from './labelling.js'
import { count } from './state.js'

/** What a rater that is not the policy has done so far. */
export const ratingCountsSchema = z.strictObject({
  judged: count.describe('candidates, whatever was asked about them'),
  scored: count.describe('of these with a score'),
  unreadable: count.describe('scores that could not be read'),
  compared: count.describe('comparisons, both orders as one'),
  ties: count.describe('of these without a winner, equal texts among them'),
  invalid: count.describe('of these that could not be read'),
})
export type RatingCounts = z.output<typeof ratingCountsSchema>

export const noRatings = (): RatingCounts => ({ judged: 0, scored: 0, unreadable: 0, compared: 0, ties: 0, invalid: 0 })

/** Adds what was rated to `counts` and reports it as `<role>/…`; nothing is reported of what was not asked. */
export function reportRatings(
  role: string,
  counts: RatingCounts,
  labelled: readonly LabelledGroup[],
  metric: ActorContext<unknown>['metric'],
): void {
  const judgments = labelled.flatMap((group) => group.judgments)
  const scores = judgments.flatMap(({ score }) => score ?? [])
  const verdicts = labelled.flatMap(({ comparisons = [] }) => comparisons.map(({ opinion }) => verdictOf(opinion)))
  const unreadable = judgments.reduce((sum, judgment) => sum + judgment.unreadable, 0)
  const of = (wanted: string) => verdicts.filter((verdict) => verdict === wanted).length
  counts.judged += judgments.length
  counts.scored += scores.length
  counts.unreadable += unreadable
  counts.compared += verdicts.length
  counts.ties += of('tie')
  counts.invalid += of('invalid')
  if (scores.length > 0) metric(`${role}/score`, meanOf(scores))
  if (scores.length + unreadable > 0) metric(`${role}/unreadable`, counts.unreadable)
  if (verdicts.length > 0) {
    metric(`${role}/ties`, of('tie') / verdicts.length)
    metric(`${role}/invalid`, counts.invalid)
  }
  const { flipped } = positionBias(labelled.flatMap(({ swaps }) => swaps))
  if (!Number.isNaN(flipped)) metric(`${role}/position_consistency`, 1 - flipped)
}
