import { type Opinion, probabilityOf, verdictOf } from '../selection/verdict.js'
import { meanOf } from './agreement.js'

/** An annotator's opinions of the same two answers, each shown first once. */
export interface BothOrders {
  readonly ab: Opinion
  readonly ba: Opinion
}

export interface PositionBias {
  /** Mean P(the one shown first is better) − ½: positive likes the first place. NaN where nothing is readable. */
  readonly bias: number
  /** Fraction of comparisons in which both orders name the same place, so that swapping turns the verdict round. */
  readonly flipped: number
  /** Fraction of comparisons in which an opinion is invalid; they are left out above. */
  readonly invalid: number
}

/** How much an annotator's verdict depends on which answer is shown first (Zheng et al. 2023, arXiv:2306.05685). */
export function positionBias(comparisons: readonly BothOrders[]): PositionBias {
  const readable = comparisons.filter(
    ({ ab, ba }) => probabilityOf(ab) !== undefined && probabilityOf(ba) !== undefined,
  )
  const first = readable.flatMap(({ ab, ba }) => [probabilityOf(ab) as number, probabilityOf(ba) as number])
  const flips = readable.map(({ ab, ba }) => {
    const verdict = verdictOf(ab)
    return Number(verdict !== 'tie' && verdict === verdictOf(ba))
  })
  return {
    bias: meanOf(first) - 0.5,
    flipped: meanOf(flips),
    invalid: 1 - readable.length / comparisons.length,
  }
}
