import type { RatedAnswers } from '../../../actors/world.js'
import { TroupeError } from '../../../runtime/kernel/errors.js'
import { toPrompt } from './conversation.js'
import type { Language } from './language.js'
import { type LengthBound, lengthBound } from './length.js'
import type { FilesOptions } from './options.js'
import { type DataRecord, readRecords } from './records.js'
import { demonstrationOf, pairOf, promptOf, type Text } from './shapes.js'

interface Answered {
  readonly prompt: string
  readonly answer: string
}

/** What the files hold, both sides of the split apart. */
export interface FilesData {
  /** Distinct prompts to train on, and to evaluate on. */
  readonly prompts: readonly string[]
  readonly heldOut: readonly string[]
  /** Of prompts that are not held out. */
  readonly pairs: readonly RatedAnswers[]
  readonly demonstrations: readonly Answered[]
  /** The distinct answers to each prompt, those of the demonstrations first. */
  readonly answers: ReadonlyMap<string, readonly string[]>
}

/** How rows are read and measured. */
export interface Reading {
  readonly options: FilesOptions
  readonly language: Language
  /** Tokens of a whole sequence. */
  readonly context: number
  readonly isHeldOut: (prompt: string) => boolean
  readonly bound: LengthBound
}

/** Reads and checks all files. Throws `E_DATA` that names the first row that cannot be used. */
export async function readData(given: Omit<Reading, 'bound'>): Promise<FilesData> {
  const reading = { ...given, bound: lengthBound(given.language) }
  const { options, isHeldOut } = reading
  const pairs = options.pairs === undefined ? [] : await readPairs(options.pairs, reading)
  const demonstrations =
    options.demonstrations === undefined
      ? pairs.map(({ prompt, answers: [answer = ''] }) => ({ prompt, answer }))
      : await readDemonstrations(options.demonstrations, reading)
  const all =
    options.prompts === undefined
      ? [...pairs, ...demonstrations].map(({ prompt }) => prompt)
      : await readPrompts(options.prompts, reading)
  const distinct = [...new Set(all)]
  const kept = demonstrations.filter(({ prompt }) => !isHeldOut(prompt))
  return {
    prompts: distinct.filter((prompt) => !isHeldOut(prompt)),
    heldOut: distinct.filter(isHeldOut),
    pairs: pairs.filter(({ prompt }) => !isHeldOut(prompt)),
    demonstrations: kept,
    answers: answersOf([
      ...kept,
      ...pairs.flatMap(({ prompt, answers }) => answers.map((answer) => ({ prompt, answer }))),
    ]),
  }
}

function answersOf(answered: readonly Answered[]): Map<string, string[]> {
  const answers = new Map<string, string[]>()
  for (const { prompt, answer } of answered) {
    const known = answers.get(prompt)
    if (!known) answers.set(prompt, [answer])
    else if (!known.includes(answer)) known.push(answer)
  }
  return answers
}

const readPrompts = (path: string, reading: Reading): Promise<string[]> =>
  readRows(path, reading, (record) => {
    const prompt = promptText(promptOf(record), record, reading)
    return fits(record, reading, prompt) ? prompt : undefined
  })

const readPairs = (path: string, reading: Reading): Promise<RatedAnswers[]> =>
  readRows(path, reading, (record) => {
    const pair = pairOf(record)
    const prompt = promptText(pair.prompt, record, reading)
    const answers = [pair.chosen, pair.rejected]
    return answers.every((answer) => fits(record, reading, prompt, answer))
      ? { prompt, answers, scores: [1, 0] }
      : undefined
  })

const readDemonstrations = (path: string, reading: Reading): Promise<Answered[]> =>
  readRows(path, reading, (record) => {
    const { prompt: text, completion: answer } = demonstrationOf(record)
    const prompt = promptText(text, record, reading)
    return fits(record, reading, prompt, answer) ? { prompt, answer } : undefined
  })

/** What `read` makes of each row; rows of which it makes nothing are left out, but not all of them. */
async function readRows<T>(
  path: string,
  { options }: Reading,
  read: (record: DataRecord) => T | undefined,
): Promise<T[]> {
  const rows: T[] = []
  let seen = 0
  for await (const record of readRecords(path)) {
    if (++seen > options.maxRows)
      throw new TroupeError('E_DATA', `the file has more than ${options.maxRows} rows`, {
        where: path,
        hint: 'Raise world.options.maxRows, or use a part of it: every role that draws from a file holds it in memory',
      })
    const row = read(record)
    if (row !== undefined) rows.push(row)
  }
  if (rows.length > 0) return rows
  throw new TroupeError('E_DATA', `none of its ${seen} rows fits into the context`, {
    where: path,
    hint: 'Raise world.options.limits.context, or choose a model with a longer one',
  })
}

function promptText(text: Text, { where }: DataRecord, { language }: Reading): string {
  if (language.hasTurns || typeof text === 'string' || text.length === 1) return toPrompt(text)
  throw new TroupeError('E_DATA', 'prompt is a conversation, and the model has no chat template in use', {
    where,
    hint: 'Choose a model with a chat template',
  })
}

/** Tokens of a prompt before a model, with those of an answer to it; `E_DATA` where the chat template refuses them. */
function tokensOf({ where }: DataRecord, { language }: Reading, prompt: string, answer?: string): number {
  try {
    const before = language.tokenizer.encode(language.context(prompt)).length
    return answer === undefined ? before : before + language.answer(prompt, answer).tokens.length
  } catch (cause) {
    throw new TroupeError('E_DATA', `the row cannot be put before the model: ${(cause as Error).message}`, {
      where,
      hint: 'Change the row, or choose template=plain',
      cause,
    })
  }
}

/** Whether a sequence is short enough; one that is not is refused, unless such rows are to be left out. */
function fits(record: DataRecord, reading: Reading, prompt: string, answer?: string): boolean {
  const { options, context, bound } = reading
  const more = answer === undefined ? options.limits.answer : 0
  if (bound(prompt, answer) + more <= context) return true
  const tokens = tokensOf(record, reading, prompt, answer) + more
  if (tokens <= context) return true
  if (options.tooLong === 'drop') return false
  throw new TroupeError('E_DATA', `the row needs ${tokens} tokens, its answer included, and ${context} fit`, {
    where: record.where,
    hint: 'Choose tooLong=drop to leave such rows out, or change limits.answer and limits.context',
  })
}
