import { type FileHandle, open } from 'node:fs/promises'
import { TroupeError } from '../kernel/errors.js'

/** Where two traces part. */
export interface TraceDifference {
  /** From 1. */
  readonly line: number
  /** Undefined where that trace has ended. */
  readonly a: string | undefined
  readonly b: string | undefined
  /** The last line that both have. */
  readonly before: string | undefined
  /** Of the first line that differs; undefined where it is no event. */
  readonly actor: string | undefined
  /** Virtual time, in milliseconds. */
  readonly at: number | undefined
}

/** Reads two trace files side by side up to their first difference; undefined where there is none. `E_DATA` where one cannot be read. */
export async function compareTraces(a: string, b: string): Promise<TraceDifference | undefined> {
  const files: FileHandle[] = []
  try {
    for (const path of [a, b]) files.push(await openTrace(path))
    const [left, right] = files.map((file) => file.readLines()[Symbol.asyncIterator]())
    let before: string | undefined
    for (let line = 1; ; line++) {
      const [one, other] = await Promise.all([left!.next(), right!.next()])
      if (one.done && other.done) return undefined
      const lines = { a: textOf(one), b: textOf(other) }
      if (lines.a !== lines.b) return { line, ...lines, before, ...placeOf(lines.a ?? lines.b) }
      before = lines.a
    }
  } finally {
    for (const file of files) await file.close()
  }
}

/** The difference as lines for a person: where, which fields, both events and the one before. */
export function describeDifference(difference: TraceDifference, names: readonly [string, string]): string[] {
  const { line, a, b, before, actor, at } = difference
  const who = actor === undefined ? '' : `: ${actor}${at === undefined ? '' : ` at ${at} ms`}`
  const width = Math.max(...names.map((name) => name.length), 'before'.length)
  const show = (name: string, text: string | undefined) => `  ${name.padEnd(width)}  ${text ?? '(the trace has ended)'}`
  const from = a !== undefined && b !== undefined ? firstDifferent(a, b) : 0
  return [
    `first difference in line ${line}${who}`,
    ...fieldsOf(a, b).map(({ path, values }) => `  ${path}: ${names[0]} ${values[0]}, ${names[1]} ${values[1]}`),
    show('before', before === undefined ? '(nothing: it is the first event)' : shortened(before, 0)),
    show(names[0], a === undefined ? undefined : shortened(a, from)),
    show(names[1], b === undefined ? undefined : shortened(b, from)),
  ]
}

const SHOWN_FIELDS = 5
const SHOWN_CHARACTERS = 240
const SHOWN_BEFORE = 80

interface FieldDifference {
  readonly path: string
  readonly values: readonly [string, string]
}

async function openTrace(path: string): Promise<FileHandle> {
  try {
    return await open(path)
  } catch (cause) {
    throw new TroupeError('E_DATA', `there is no trace at "${path}"`, {
      hint: 'Only runs of the virtual stage write events.jsonl',
      cause,
    })
  }
}

function textOf(result: IteratorResult<string, unknown>): string | undefined {
  return result.done ? undefined : result.value
}

function parsed(line: string | undefined): unknown {
  try {
    return JSON.parse(line ?? '')
  } catch {
    return undefined
  }
}

function placeOf(line: string | undefined): Pick<TraceDifference, 'actor' | 'at'> {
  const event = parsed(line)
  const actor =
    isObject(event) && isObject(event.actor) && typeof event.actor.name === 'string' ? event.actor.name : undefined
  // A turn is reported when it ends.
  const at = isObject(event) ? (event.at ?? event.end) : undefined
  return { actor, at: typeof at === 'number' ? at : undefined }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}

/** The first fields whose values differ, by path; none where a line is no event. */
function fieldsOf(a: string | undefined, b: string | undefined): FieldDifference[] {
  const [one, other] = [parsed(a), parsed(b)]
  return isObject(one) && isObject(other) ? [...differences(one, other, [])].slice(0, SHOWN_FIELDS) : []
}

function* differences(a: unknown, b: unknown, path: readonly string[]): Generator<FieldDifference> {
  if (Object.is(a, b)) return
  if (isObject(a) && isObject(b) && Array.isArray(a) === Array.isArray(b)) {
    for (const key of new Set([...Object.keys(a), ...Object.keys(b)]))
      yield* differences(a[key], b[key], [...path, key])
    return
  }
  const show = (value: unknown) => shortened(value === undefined ? 'nothing' : JSON.stringify(value), 0)
  yield { path: path.join('.'), values: [show(a), show(b)] }
}

function firstDifferent(a: string, b: string): number {
  let at = 0
  while (at < a.length && a[at] === b[at]) at++
  return at
}

/** A part of a long text that shows what is at `at`. */
function shortened(text: string, at: number): string {
  if (text.length <= SHOWN_CHARACTERS) return text
  const start = Math.max(0, Math.min(at - SHOWN_BEFORE, text.length - SHOWN_CHARACTERS))
  const end = start + SHOWN_CHARACTERS
  return `${start > 0 ? '…' : ''}${text.slice(start, end)}${end < text.length ? '…' : ''}`
}
