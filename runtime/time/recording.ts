import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { TroupeError } from '../kernel/errors.js'

interface RecordedTurn {
  readonly ms: number
  readonly args: Readonly<Record<string, unknown>>
}

const MICROSECONDS = 1000

/** The turns of a recorded run. */
export interface Recording {
  readonly roles: readonly string[]
  /** Names of the turns of a role; `E_DATA` where it had none. */
  turnsOf(role: string): readonly string[]
  /**
   * Lengths in ascending order, per item where an attribute is named. `E_DATA` where the run has no turn of this role
   * and name, or none with a number above 0 as that attribute.
   */
  lengths(role: string, turn: string, perItem?: string): Float64Array
}

/** Reads the turns of a run folder or of its `trace.json`, also of a run that was cut short. */
export function readRecording(path: string): Recording {
  const file = fileOf(path)
  const turns = new Map<string, Map<string, RecordedTurn[]>>()
  for (const event of eventsOf(file)) {
    if (!isTurn(event)) continue
    const role = turns.get(event.cat) ?? new Map<string, RecordedTurn[]>()
    turns.set(event.cat, role)
    const of = role.get(event.name) ?? []
    role.set(event.name, of)
    of.push({ ms: event.dur / MICROSECONDS, args: event.args ?? {} })
  }
  if (turns.size === 0) throw new TroupeError('E_DATA', `the recording has no turns`, { where: file })
  const namesOf = (role: string) => {
    const names = turns.get(role)
    if (!names) throw missing(file, `no turns of the role "${role}"`, [...turns.keys()])
    return names
  }
  return {
    roles: [...turns.keys()],
    turnsOf: (role) => [...namesOf(role).keys()],
    lengths: (role, turn, perItem) => {
      const names = namesOf(role)
      const found = names.get(turn)
      if (!found) throw missing(file, `no turns "${turn}" of the role "${role}"`, [...names.keys()])
      const lengths = perItem === undefined ? found.map(({ ms }) => ms) : perItemOf(found, perItem)
      if (lengths.length === 0) {
        const attributes = [...new Set(found.flatMap(({ args }) => Object.keys(args)))]
        throw missing(file, `no turns "${turn}" of the role "${role}" with a number "${perItem}"`, attributes)
      }
      return Float64Array.from(lengths).sort()
    },
  }
}

function perItemOf(turns: readonly RecordedTurn[], attribute: string): number[] {
  return turns.flatMap(({ ms, args }) => {
    const items = args[attribute]
    return typeof items === 'number' && items > 0 ? [ms / items] : []
  })
}

function missing(where: string, what: string, has: readonly string[]): TroupeError {
  return new TroupeError('E_DATA', `the recording has ${what}`, { where, hint: `It has: ${has.join(', ') || 'none'}` })
}

function fileOf(path: string): string {
  const file = statSync(path, { throwIfNoEntry: false })?.isDirectory() ? join(path, 'trace.json') : path
  if (statSync(file, { throwIfNoEntry: false })?.isFile()) return file
  throw new TroupeError('E_CONFIG', `there is no recording at "${path}"`, {
    hint: 'Give the folder of a run, or its trace.json',
  })
}

function isTurn(event: unknown): event is { cat: string; name: string; dur: number; args?: Record<string, unknown> } {
  if (typeof event !== 'object' || event === null) return false
  const { ph, cat, name, dur } = event as Record<string, unknown>
  return ph === 'X' && typeof cat === 'string' && typeof name === 'string' && typeof dur === 'number' && dur >= 0
}

function eventsOf(file: string): readonly unknown[] {
  try {
    const text = readFileSync(file, 'utf8')
    const document = parsed(text)
    const events = isEventList(document) ? document : (document as { traceEvents?: unknown } | undefined)?.traceEvents
    return isEventList(events) ? events : linesOf(text)
  } catch (cause) {
    throw new TroupeError('E_DATA', 'the recording cannot be read', { where: file, cause })
  }
}

function isEventList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value)
}

/** A run that was killed leaves a list without an end: each line holds one event, and the last may be torn. */
function linesOf(text: string): unknown[] {
  return text.split('\n').flatMap((line) => {
    const event = parsed(line.replace(/^[[,]+|,$/g, ''))
    return event === undefined ? [] : [event]
  })
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
