import { fitting, type Request, wantedCount } from './requests.js'
import { isCategory, kindOf } from './vocabulary.js'

/** The five additive points, in order; none counts without the first. */
export const CRITERIA = ['relevant', 'substantial', 'complete', 'well-formed', 'concise'] as const
export const STOP = '.'

export interface Assessment {
  /** For every word of the answer: does it belong where it stands? */
  readonly marks: readonly boolean[]
  /** As {@link CRITERIA}, gated by the first. */
  readonly criteria: readonly boolean[]
  readonly points: number
}

/**
 * Scores an answer by what was asked for.
 *
 * A word is right when it fits a slot that is not yet full, has not occurred before, and (where order matters) does not
 * come before the things named so far; a stop is right when it is the last word.
 * - relevant: at least one right word
 * - substantial: right words for at least half of what is wanted
 * - complete: exactly what is wanted: that many right words, and no other thing
 * - well-formed: no thing occurs twice, and there is one stop, at the end
 * - concise: nothing surplus: no more things than wanted, and no other words
 */
export function assess(request: Request, words: readonly string[]): Assessment {
  const marks = markWords(request, words)
  const wanted = wantedCount(request)
  const things = words.filter(isThing)
  const right = words.filter((word, i) => marks[i] && word !== STOP).length
  const others = words.filter((word) => !isThing(word) && word !== STOP).length
  const relevant = right > 0
  const criteria = [
    relevant,
    2 * right >= wanted,
    right === wanted && things.length === wanted,
    new Set(things).size === things.length && words.indexOf(STOP) === words.length - 1 && words.length > 0,
    things.length <= wanted && others === 0,
  ].map((met) => met && relevant)
  return { marks, criteria, points: criteria.filter(Boolean).length }
}

const isThing = (word: string): boolean => kindOf(word) !== undefined || isCategory(word)

function markWords(request: Request, words: readonly string[]): boolean[] {
  const open = request.slots.map((slot) => ({ left: slot.count, fits: new Set(fitting(request, slot)) }))
  const seen = new Set<string>()
  let latest = '' // the alphabetically last thing so far
  let reached = 0 // the slot that `given` order has come to
  return words.map((word, i) => {
    if (word === STOP) return i === words.length - 1
    const at = open.findIndex(
      (slot, k) => slot.left > 0 && slot.fits.has(word) && (request.order !== 'given' || k >= reached),
    )
    const inOrder = request.order !== 'alphabetical' || word > latest
    const right = at >= 0 && inOrder && !seen.has(word)
    seen.add(word)
    if (isThing(word) && word > latest) latest = word
    if (!right) return false
    ;(open[at] as { left: number }).left--
    reached = at
    return true
  })
}
