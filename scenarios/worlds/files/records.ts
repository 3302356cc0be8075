import { stat } from 'node:fs/promises'
import { extname } from 'node:path'
import { TroupeError } from '../../../runtime/kernel/errors.js'
import { readLines } from './lines.js'
import { readParquet } from './parquet.js'

/** One row of a file, and which it is, for what is said of it. */
export interface DataRecord {
  /** `pairs.jsonl, line 3` or `pairs.parquet, row 3`. */
  readonly where: string
  readonly value: Readonly<Record<string, unknown>>
}

/** The columns of TRL's shapes; a Parquet file's others are not read. */
const COLUMNS = ['prompt', 'chosen', 'rejected', 'completion', 'messages']

/**
 * The rows of a dataset file, one after another: JSON Lines (`.jsonl`, `.ndjson`; blank lines are passed over) or Parquet
 * (`.parquet`). Throws `E_DATA` that names the file and the row: of another format, missing, empty, damaged, or a row that is no
 * object.
 */
export async function* readRecords(path: string): AsyncGenerator<DataRecord> {
  const format = extname(path).toLowerCase()
  if (!['.jsonl', '.ndjson', '.parquet'].includes(format)) throw wrongFormat(path, format)
  await checkFile(path)
  let isEmpty = true
  for await (const record of format === '.parquet' ? parquetRecords(path) : lineRecords(path)) {
    isEmpty = false
    yield record
  }
  if (isEmpty) throw new TroupeError('E_DATA', 'the file has no rows', { where: path, hint: 'Name a file with data' })
}

function wrongFormat(path: string, format: string): TroupeError {
  return new TroupeError('E_DATA', `a dataset is a .jsonl or .parquet file, not ${format || 'one without extension'}`, {
    where: path,
    hint: format === '.json' ? 'Write one JSON object a line, and name it .jsonl' : 'Write it as JSON Lines or Parquet',
  })
}

async function checkFile(path: string): Promise<void> {
  const found = await stat(path).catch((cause: NodeJS.ErrnoException) => {
    const message = cause.code === 'ENOENT' ? 'there is no such file' : `the file cannot be read: ${cause.message}`
    throw new TroupeError('E_DATA', message, { where: path, cause })
  })
  if (!found.isFile()) throw new TroupeError('E_DATA', 'this is not a file', { where: path })
}

async function* parquetRecords(path: string): AsyncGenerator<DataRecord> {
  for await (const { row, value } of readParquet(path, COLUMNS)) yield { where: `${path}, row ${row}`, value }
}

async function* lineRecords(path: string): AsyncGenerator<DataRecord> {
  for await (const { line, text } of readLines(path)) {
    if (text.trim() === '') continue
    const where = `${path}, line ${line}`
    yield { where, value: objectOf(text, where) }
  }
}

function objectOf(text: string, where: string): Readonly<Record<string, unknown>> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new TroupeError('E_DATA', `the line is not JSON: ${(cause as Error).message}`, {
      where,
      hint: 'Each line is one JSON object',
      cause,
    })
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  throw new TroupeError('E_DATA', `the line is ${kindOf(value)}`, { where, hint: 'Each line is one JSON object' })
}

/** What a value is, in words. */
export function kindOf(value: unknown): string {
  if (value === undefined || value === null) return 'missing'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'string') return 'a text'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}
