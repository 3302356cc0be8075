import { TroupeError } from '../runtime/kernel/errors.js'
import type { HostTensor } from '../runtime/tensor/compile.js'
import type { DecoderConfig } from './config.js'
import type { TokenSequence } from './types.js'

/** `size` rounded up to a multiple of `bucket`, so that few different shapes (graphs) occur. */
export function bucketed(size: number, bucket: number): number {
  return Math.max(1, Math.ceil(size / bucket)) * bucket
}

/** The smallest of 8, 16, 32, … that holds `count`, at most `most`. */
export function rowBucket(count: number, most: number): number {
  let rows = 8
  while (rows < count) rows *= 2
  return Math.min(rows, most)
}

/** Throws `E_DATA` when tokens do not fit the model with `room` positions to spare. `index` names them in the message. */
export function checkTokens(config: DecoderConfig, tokens: Int32Array, index: number, room = 0): void {
  const fail = (message: string, hint?: string): never => {
    throw new TroupeError('E_DATA', `sequence ${index}: ${message}`, { where: 'model', hint })
  }
  if (tokens.length === 0) fail('it has no tokens')
  if (tokens.length + room > config.maxPositionEmbeddings)
    fail(
      `${tokens.length} tokens${room ? ` and ${room} to write` : ''} do not fit the model's ${config.maxPositionEmbeddings} positions`,
      'Shorten it, or use a model with a larger maxPositionEmbeddings',
    )
  for (const token of tokens)
    if (token < 0 || token >= config.vocabSize) fail(`token ${token} is not in the vocabulary of ${config.vocabSize}`)
}

/** Checks a sequence with its completion; throws `E_DATA`. */
export function checkSequence(config: DecoderConfig, sequence: TokenSequence, index: number): void {
  const { tokens, promptLength } = sequence
  checkTokens(config, tokens, index)
  if (!Number.isSafeInteger(promptLength) || promptLength < 1 || promptLength > tokens.length)
    throw new TroupeError(
      'E_DATA',
      `sequence ${index}: promptLength must be from 1 to ${tokens.length}, not ${promptLength}`,
      {
        where: 'model',
        hint: 'The first token has no log-probability: begin the prompt with a marker',
      },
    )
}

/** A padded batch and the positions whose next token belongs to a completion, in row order. */
export interface Batch {
  /** tokens [B, T], index [M], back [B·T], targets [M], flat [M]: what `readPicks` reads. */
  readonly inputs: HostTensor[]
  /** 1 where the next token belongs to a completion. [B, T] */
  readonly mask: HostTensor
  /** Where row r's log-probabilities begin among the M. */
  readonly starts: readonly number[]
}

/** How many steps the number of chosen positions is rounded to, between none and all. */
const CHOSEN_STEPS = 4

/**
 * Lays sequences out in `rows` × `length`, padded on the right; rows beyond the sequences are padding. Column t speaks of
 * token t + 1: the completion of a sequence is at columns promptLength − 1 … tokens.length − 2. M is a multiple of `pickStep`.
 */
export function layBatch(
  config: DecoderConfig,
  sequences: readonly TokenSequence[],
  rows: number,
  length: number,
  pickStep = Math.max(1, Math.ceil((rows * length) / CHOSEN_STEPS)),
): Batch {
  const places = rows * length
  const chosen = sequences.reduce((sum, { tokens, promptLength }) => sum + tokens.length - promptLength, 0)
  const picks = bucketed(chosen, pickStep)
  const tokens = new Int32Array(places).fill(config.padTokenId)
  const index = new Int32Array(picks).fill(places)
  const back = new Int32Array(places).fill(picks)
  const targets = new Int32Array(picks)
  const mask = new Float32Array(places)
  const starts: number[] = []
  let next = 0
  sequences.forEach((sequence, row) => {
    tokens.set(sequence.tokens, row * length)
    starts.push(next)
    for (let t = sequence.promptLength - 1; t < sequence.tokens.length - 1; t++) {
      const place = row * length + t
      mask[place] = 1
      back[place] = next
      index[next] = place
      targets[next++] = sequence.tokens[t + 1]!
    }
  })
  const flat = targets.map((target, pick) => pick * config.vocabSize + target)
  const int32 = (shape: number[], data: Int32Array): HostTensor => ({ dtype: 'int32', shape, data })
  return {
    inputs: [
      int32([rows, length], tokens),
      int32([picks], index),
      int32([places], back),
      int32([picks], targets),
      int32([picks], flat),
    ],
    mask: { dtype: 'float32', shape: [rows, length], data: mask },
    starts,
  }
}
