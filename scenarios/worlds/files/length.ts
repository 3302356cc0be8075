import { turnsOf } from './conversation.js'
import type { Language } from './language.js'

/** Tokens that a tokenizer may add around and between the parts of a text. */
const SLACK = 64

/** A bound on the tokens of a prompt and an answer. */
export type LengthBound = (prompt: string, answer?: string) => number

/**
 * Never fewer tokens than a prompt before a model, with an answer to it, has, found without rendering or encoding it, which takes
 * milliseconds: no token stands for less than a byte, and what a template adds to one turn of a user is always the same. Infinite
 * for other conversations, and where a template does more than that.
 */
export function lengthBound(language: Language): LengthBound {
  const added = bytesAdded(language)
  return (prompt, answer = '') =>
    added === undefined || turnsOf(prompt)[0]?.content !== prompt
      ? Number.POSITIVE_INFINITY
      : added + Buffer.byteLength(prompt) + Buffer.byteLength(answer) + SLACK
}

function bytesAdded(language: Language): number | undefined {
  const around = (text: string) =>
    Buffer.byteLength(language.context(text) + language.answer(text, text).text) - 2 * Buffer.byteLength(text)
  try {
    const added = around('x')
    return around('x'.repeat(100)) === added ? added : undefined
  } catch {
    return undefined // the template refuses every such row, which is said of the first one
  }
}
