import type { ActorIdentity, RunEvent, UsageEvent } from './events.js'
import { type TurnMeter, turnMeter } from './turn-meter.js'

export type ActorState = Extract<RunEvent, { type: 'state' }>['state']

export interface Progress {
  readonly phase: string
  readonly done: number
  readonly total: number | undefined
  readonly unit: string
  readonly at: number
  /** When and with how much done the phase was first seen. */
  readonly since: number
  readonly doneThen: number
}

/** What is known of one actor. */
export interface ActorEntry {
  readonly actor: ActorIdentity
  state: ActorState
  /** Of the last failure: its code, or the class of an error that has none. */
  code: string | undefined
  failures: number
  restarts: number
  /** Messages that were set aside. */
  setAside: number
  progress: Progress | undefined
  readonly turns: TurnMeter
  readonly queues: Map<string, { readonly depth: number; readonly window: number }>
  usage: UsageEvent | undefined
  /** Processor time per time, between the last two reports. */
  cpu: number | undefined
  log: { readonly at: number; readonly text: string } | undefined
}

export interface MetricEntry {
  readonly role: string
  latest: number
  mean: number
  max: number
  count: number
  at: number
  /** Latest value by actor: a count that each replica keeps is their sum. */
  readonly byActor: Map<string, number>
}

/** What a run's events add up to; bounded by the number of actors and of metric names. */
export interface RunBook {
  readonly actors: Map<string, ActorEntry>
  readonly metrics: Map<string, MetricEntry>
  lastLog: string | undefined
}

const MAX_METRICS = 500

export function runBook(): RunBook {
  return { actors: new Map(), metrics: new Map(), lastLog: undefined }
}

/** A book as a structured clone can hold it; of turns, only the last seconds are known, and those are left out. */
export interface BookState {
  readonly actors: readonly Omit<ActorEntry, 'turns'>[]
  readonly metrics: readonly (readonly [string, MetricEntry])[]
  readonly lastLog: string | undefined
}

/** The book now; it may not be changed before it is copied. */
export function bookState({ actors, metrics, lastLog }: RunBook): BookState {
  return { actors: [...actors.values()].map(({ turns: _, ...entry }) => entry), metrics: [...metrics], lastLog }
}

export function resumeBook({ actors, metrics, lastLog }: BookState): RunBook {
  const entries = actors.map((entry) => [entry.actor.name, { ...entry, turns: turnMeter() }] as const)
  return { actors: new Map(entries), metrics: new Map(metrics), lastLog }
}

/** Takes one event in. */
export function enter(book: RunBook, event: RunEvent): void {
  const entry = entryOf(book, event.actor)
  switch (event.type) {
    case 'state':
      enterState(entry, event)
      break
    case 'span':
      entry.turns.add(event)
      break
    case 'queue':
      entry.queues.set(event.input, { depth: event.depth, window: event.window })
      break
    case 'metric':
      enterMetric(book, event)
      break
    case 'progress':
      entry.progress = progressed(entry.progress, event)
      break
    case 'aside':
      entry.setAside++
      entry.log = { at: event.at, text: `set aside: ${event.error.message}` }
      break
    case 'usage':
      enterUsage(entry, event)
      break
    case 'log':
      if (event.level === 'debug') break
      entry.log = { at: event.at, text: event.message }
      book.lastLog = `${event.actor.name}: ${event.message}`
      break
    case 'record':
      break
  }
  if (event.type !== 'state' && entry.state === 'starting') entry.state = 'ready'
}

function entryOf(book: RunBook, actor: ActorIdentity): ActorEntry {
  const known = book.actors.get(actor.name)
  if (known) return known
  const entry: ActorEntry = {
    actor,
    state: 'starting',
    code: undefined,
    failures: 0,
    restarts: 0,
    setAside: 0,
    progress: undefined,
    turns: turnMeter(),
    queues: new Map(),
    usage: undefined,
    cpu: undefined,
    log: undefined,
  }
  book.actors.set(actor.name, entry)
  return entry
}

function enterState(entry: ActorEntry, event: Extract<RunEvent, { type: 'state' }>): void {
  entry.state = event.state
  const { error, restarts } = event
  if (event.state === 'failed') entry.failures++
  if (event.state === 'restarting') entry.restarts = restarts ?? entry.restarts + 1
  else if (restarts !== undefined) entry.restarts = restarts
  const code = event.code ?? error?.code ?? error?.name
  if (code) entry.code = code
  if (error) entry.log = { at: event.at, text: error.message }
}

/** Reports nearer together say nothing of how busy a processor was: the last one, of an actor that is disposed of. */
const MIN_USAGE_MS = 500

/** A place that was made anew begins to count at 0 again. */
function enterUsage(entry: ActorEntry, event: UsageEvent): void {
  const before = entry.usage
  const passed = before ? event.at - before.at : 0
  entry.cpu = before && passed >= MIN_USAGE_MS ? Math.max(0, event.cpuMs - before.cpuMs) / passed : entry.cpu
  entry.usage = event
}

function enterMetric(book: RunBook, event: Extract<RunEvent, { type: 'metric' }>): void {
  const { name, value, at, actor } = event
  const known = book.metrics.get(name)
  if (!known && book.metrics.size >= MAX_METRICS) return
  const entry = known ?? { role: actor.role, latest: value, mean: 0, max: value, count: 0, at, byActor: new Map() }
  entry.latest = value
  entry.count += 1
  entry.mean += (value - entry.mean) / entry.count
  entry.max = Math.max(entry.max, value)
  entry.at = at
  entry.byActor.set(actor.name, value)
  book.metrics.set(name, entry)
}

function progressed(before: Progress | undefined, event: Extract<RunEvent, { type: 'progress' }>): Progress {
  const { phase, done, total, unit, at } = event
  const same = before?.phase === phase && done >= before.doneThen
  return { phase, done, total, unit, at, since: same ? before.since : at, doneThen: same ? before.doneThen : done }
}
