import type { Verdict, World } from '../../../actors/world.js'
import { parsePrompt } from './prompts.js'
import { MARKERS, NUMBERS } from './vocabulary.js'

/**
 * Greatest lengths in tokens, each with its stop token. People's answers have at most 11 words (5 things, 1 extra,
 * 2 + 2 of courtesy, the stop) and prompts 13; a verdict has a mark a word, `so`, five criteria, `score` and the score;
 * a comparison goes on with `so` and one word. `context` is the longest sequence: five shots and a sixth prompt.
 */
export const LIMITS = {
  answer: 14,
  verdict: 23,
  prompt: 15,
  preference: 25,
  context: 96,
} as const satisfies World['limits']

export const answerContext = (prompt: string): string => `${MARKERS.begin} ${prompt} ${MARKERS.answer}`

const askedOf = (prompt: string, answer: string): string =>
  [prompt, MARKERS.answer, answer, MARKERS.judge].filter((part) => part !== '').join(' ')

export const judgeContext = (prompt: string, answer: string): string => `${MARKERS.begin} ${askedOf(prompt, answer)}`

export const promptContext = (shots: readonly string[]): string =>
  [MARKERS.begin, MARKERS.prompts, ...shots.flatMap((shot) => [shot, MARKERS.next])].join(' ')

/**
 * What two judgments conclude, then the question whose answer they are of. Their marks are left out: the context would not
 * hold them twice, and one who judges an answer anew has marks of their own.
 */
export const metaContext = (prompt: string, answer: string, first: string, second: string): string =>
  [MARKERS.begin, conclusionOf(first), 'or', conclusionOf(second), '?', askedOf(prompt, answer)].join(' ')

/** A judgment's last words: five criteria, `score` and the score. */
const conclusionOf = (verdict: string): string => wordsOf(verdict).slice(-7).join(' ')

/** How a comparison ends, by which of the two is preferred. */
export const PREFERRED = { first: 'one', second: 'two' } as const

/** What comes after the last `so` of a comparison; anything after it makes the text unreadable. */
export function readPreference(text: string): 'first' | 'second' | undefined {
  const words = wordsOf(text)
  const said = words.slice(words.lastIndexOf('so') + 1)
  if (words.length === said.length || said.length !== 1) return undefined
  if (said[0] === PREFERRED.first) return 'first'
  return said[0] === PREFERRED.second ? 'second' : undefined
}

/**
 * A judge's score: the number word after the last `score`, zero to five. The score decides, whatever the marks and the
 * criteria before it said; anything after the number makes the text unreadable.
 */
export function readVerdict(text: string): Verdict {
  const words = wordsOf(text)
  const at = words.lastIndexOf('score')
  if (at < 0) return { readable: false, reason: 'no score' }
  const score = NUMBERS.indexOf(words[at + 1] ?? '')
  if (at + 1 >= words.length) return { readable: false, reason: 'cut off before the score' }
  if (score < 0) return { readable: false, reason: `"${words[at + 1]}" is not a score` }
  if (words.length > at + 2) return { readable: false, reason: 'words after the score' }
  return { readable: true, score }
}

/** The prompt of a generated text: form only, by the grammar and the length. */
export function readPrompt(text: string): { readonly prompt: string } | { readonly malformed: string } {
  const words = wordsOf(text)
  if (words.length >= LIMITS.prompt) return { malformed: 'too long' }
  const prompt = words.join(' ')
  const read = parsePrompt(prompt)
  return 'malformed' in read ? read : { prompt }
}

/** Words of a text, without the end marker. */
export function wordsOf(text: string): string[] {
  const words = text.split(/\s+/).filter((word) => word !== '')
  return words.at(-1) === MARKERS.end ? words.slice(0, -1) : words
}
