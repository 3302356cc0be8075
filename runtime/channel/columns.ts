import { types } from 'node:util'
import { isPlainObject } from './plain.js'
import type { SenderFrame } from './protocol.js'

type Batch = Extract<SenderFrame, { type: 'batch' }>
type Columns = Extract<SenderFrame, { type: 'columns' }>

/** One key of all messages: numbers as they are, everything else as a JSON list. */
type Column = Float64Array | string

/** Below, a clone of the messages themselves costs no more. */
const FEWEST = 8
const MOST_KEYS = 32

/**
 * The messages of a batch laid out by keys, where they are flat and alike, which crosses to another thread several times
 * as fast as a clone of each; undefined where a column could not hold exactly what a clone would.
 */
export function toColumns({ seq, messages }: Batch): Columns | undefined {
  const count = messages.length
  const first = messages[0]
  if (count < FEWEST || typeof first !== 'object' || first === null) return undefined
  const keys = Object.keys(first)
  if (keys.length === 0 || keys.length > MOST_KEYS || keys.includes('__proto__')) return undefined
  for (const message of messages) if (!hasKeys(message, keys)) return undefined
  const columns: Column[] = []
  for (const key of keys) {
    const column = columnOf(messages as readonly Row[], key)
    if (column === undefined) return undefined
    columns.push(column)
  }
  return { type: 'columns', seq, count, keys, columns }
}

/** The batch again; undefined when the columns are none. */
export function fromColumns({ seq, count, keys, columns }: Columns): Batch | undefined {
  const lists = columns.map((column) => readColumn(column, count))
  if (lists.some((list) => list === undefined)) return undefined
  const messages: Row[] = []
  for (let i = 0; i < count; i++) {
    const message: Row = {}
    for (let k = 0; k < keys.length; k++) message[keys[k] as string] = (lists[k] as ArrayLike<unknown>)[i]
    messages.push(message)
  }
  return { type: 'batch', seq, messages }
}

type Row = Record<string, unknown>

function hasKeys(message: unknown, keys: readonly string[]): message is Row {
  if (typeof message !== 'object' || message === null || types.isProxy(message) || !isPlainObject(message)) return false
  let at = 0
  for (const key in message) if (key !== keys[at++]) return false
  return at === keys.length
}

function columnOf(rows: readonly Row[], key: string): Column | undefined {
  const count = rows.length
  if (typeof rows[0]?.[key] !== 'number') return jsonOf(rows, key)
  const numbers = new Float64Array(count)
  for (let i = 0; i < count; i++) {
    const value = rows[i]?.[key]
    if (typeof value !== 'number') return jsonOf(rows, key)
    numbers[i] = value
  }
  return numbers
}

function jsonOf(rows: readonly Row[], key: string): string | undefined {
  const values = new Array<unknown>(rows.length)
  for (let i = 0; i < rows.length; i++) {
    const value = rows[i]?.[key]
    if (!survivesJson(value)) return undefined
    values[i] = value
  }
  return JSON.stringify(values)
}

function survivesJson(value: unknown): boolean {
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return true
  return typeof value === 'number' && Number.isFinite(value) && !Object.is(value, -0)
}

function readColumn(column: Column, count: number): ArrayLike<unknown> | undefined {
  if (typeof column !== 'string') return column.length === count ? column : undefined
  try {
    const values: unknown = JSON.parse(column)
    return Array.isArray(values) && values.length === count ? values : undefined
  } catch {
    return undefined
  }
}
