import type { Random } from '../../../runtime/time/random.js'
import { PREFERRED } from './format.js'
import { type Request, wantedCount } from './requests.js'
import { assess } from './rubric.js'
import { NUMBERS } from './vocabulary.js'

/** What a person who judges writes down. */
export interface Annotation {
  readonly marks: readonly boolean[]
  readonly criteria: readonly boolean[]
  readonly score: number
}

export interface AnnotatorTraits {
  /** Chance that each of the five criteria is got wrong, independently. */
  readonly annotatorNoise: number
  /** Points for each word beyond what was wanted and its stop. */
  readonly lengthBias: number
}

/** How an answer looks to somebody: the criteria as they see them, and points that are neither rounded nor cut. */
export function impressionOf(
  request: Request,
  words: readonly string[],
  { annotatorNoise, lengthBias }: AnnotatorTraits,
  random: Random,
): { readonly marks: readonly boolean[]; readonly seen: readonly boolean[]; readonly points: number } {
  const { marks, criteria } = assess(request, words)
  const seen = criteria.map((met) => met !== random.chance(annotatorNoise))
  const points = seen[0] ? seen.filter(Boolean).length : 0
  const surplus = words.length - wantedCount(request) - 1
  return { marks, seen, points: points + lengthBias * surplus }
}

/** Points as they are given: whole, 0..5. */
export const givenPoints = (points: number): number => Math.min(5, Math.max(0, Math.round(points)))

/**
 * A person's judgment. Marks are as they should be; then each of the five criteria is got wrong with chance `noise`,
 * independently, and the score is the sum of the criteria as that person sees them (0 when it looks irrelevant), plus
 * `lengthBias` points for each word beyond what was wanted and its stop, rounded and cut to 0..5.
 */
export function annotate(
  request: Request,
  words: readonly string[],
  traits: AnnotatorTraits,
  random: Random,
): Annotation {
  const { marks, seen, points } = impressionOf(request, words, traits, random)
  return { marks, criteria: seen[0] ? seen : seen.map(() => false), score: givenPoints(points) }
}

/** The text of a judgment: a mark for every word of the answer, then the criteria, then the total. */
export function verdictText({ marks, criteria, score }: Annotation): string {
  const bits = (values: readonly boolean[]) => values.map((value) => (value ? 'yes' : 'no'))
  return [...bits(marks), 'so', ...bits(criteria), 'score', NUMBERS[score]].join(' ')
}

/**
 * Which of two judgments of an answer a person prefers who has judged it too: the one whose score is nearer to their own;
 * of two as near, the one with more of the criteria as they see them. Undefined where neither is closer.
 */
export function preferredOf(own: Annotation, first: Annotation, second: Annotation): 'first' | 'second' | undefined {
  const distance = ({ score, criteria }: Annotation) =>
    Math.abs(score - own.score) + criteria.filter((met, i) => met !== own.criteria[i]).length / (1 + criteria.length)
  const lead = distance(second) - distance(first)
  return lead === 0 ? undefined : lead > 0 ? 'first' : 'second'
}

/** The text of a comparison: that person's own judgment of the answer, then which judgment they prefer. */
export const preferenceText = (own: Annotation, preferred: 'first' | 'second'): string =>
  `${verdictText(own)} so ${PREFERRED[preferred]}`
