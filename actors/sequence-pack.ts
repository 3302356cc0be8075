import { z } from 'zod'
import type { TokenSequence } from '../models/types.js'

/** Thousands of short sequences as three arrays: cloned at once, where each array of its own would cost microseconds. */
export interface PackedSequences {
  readonly tokens: Int32Array
  readonly lengths: Int32Array
  readonly promptLengths: Int32Array
}

const whole = z.custom<Int32Array>((value) => value instanceof Int32Array, 'not whole numbers')

export const packedSequences = z
  .strictObject({ tokens: whole, lengths: whole, promptLengths: whole })
  .refine(
    ({ tokens, lengths, promptLengths }) =>
      lengths.length === promptLengths.length &&
      lengths.every((length, i) => length >= promptLengths[i]! && promptLengths[i]! >= 0) &&
      lengths.reduce((sum, length) => sum + length, 0) === tokens.length,
    { error: 'not packed sequences' },
  )

export function packSequences(sequences: readonly TokenSequence[]): PackedSequences {
  const lengths = Int32Array.from(sequences, ({ tokens }) => tokens.length)
  const tokens = new Int32Array(lengths.reduce((sum, length) => sum + length, 0))
  let at = 0
  for (const sequence of sequences) {
    tokens.set(sequence.tokens, at)
    at += sequence.tokens.length
  }
  return { tokens, lengths, promptLengths: Int32Array.from(sequences, ({ promptLength }) => promptLength) }
}

export function unpackSequences({ tokens, lengths, promptLengths }: PackedSequences): TokenSequence[] {
  let end = 0
  return Array.from(lengths, (length, i) => {
    end += length
    return { tokens: tokens.slice(end - length, end), promptLength: promptLengths[i]! }
  })
}
