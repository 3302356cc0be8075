import type { Opinion } from '../alignment/index.js'
import type { Random } from '../runtime/time/random.js'
import type { Judgment } from './messages.js'

/** An answer that is to be scored. */
export interface Question {
  readonly prompt: string
  readonly answer: string
  /** Of this question alone, so that no answer depends on the batch around it. */
  readonly random: Random
}

/** Two answers that are to be compared, in the order in which they are shown. */
export interface Match {
  readonly prompt: string
  readonly first: string
  readonly second: string
  readonly random: Random
}

/**
 * Whoever says which answers are better: people, a model from outside, a reward model, the policy itself. One that has only
 * one of the two ways refuses the other with `E_CONFIG`. What cannot be read has no score, or is `invalid`; never a default.
 */
export interface Rater {
  /** One judgment a question. */
  score(questions: readonly Question[]): Promise<readonly Judgment[]>
  /** One opinion a match: a verdict, or P(the first is better). */
  compare(matches: readonly Match[]): Promise<readonly Opinion[]>
}
