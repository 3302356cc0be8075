import type { ActorIdentity, RunEvent } from '../../runtime/observe/events.js'
import { type BusyMeter, busyMeter } from './busy.js'

/** What is known of a run before its first event. */
export interface RunFacts {
  readonly scenario: string
  readonly preset: string
  readonly seed: number
  readonly stage: string
  readonly backend: string
  readonly out: string
  readonly startedAt: number
}

interface Progress {
  readonly phase: string
  readonly done: number
  readonly total: number | undefined
  readonly unit: string
  readonly at: number
  /** When and with how much done the phase was first seen. */
  readonly since: number
  readonly doneThen: number
}

export interface ActorRow {
  readonly actor: ActorIdentity
  state: 'starting' | 'ready' | 'stopped' | 'failed' | 'restarting'
  progress: Progress | undefined
  readonly busy: BusyMeter
  readonly queues: Map<string, { depth: number; window: number }>
}

export interface MetricRow {
  readonly role: string
  latest: number
  mean: number
  max: number
  count: number
  at: number
}

/** What the live view shows, gathered from run events; bounded by the number of actors and of metric names. */
export interface LiveState {
  readonly facts: RunFacts
  readonly actors: Map<string, ActorRow>
  readonly metrics: Map<string, MetricRow>
  lastLog: string | undefined
  stopping: boolean
}

/** The role under which a scenario may report the progress of the whole run: it drives the time left. */
export const RUN_ROLE = 'run'

const MAX_METRICS = 500

export function liveState(facts: RunFacts): LiveState {
  return { facts, actors: new Map(), metrics: new Map(), lastLog: undefined, stopping: false }
}

/** Takes one event in. */
export function absorb(state: LiveState, event: RunEvent): void {
  const row = rowOf(state, event.actor)
  if (event.type === 'state') row.state = event.state
  else if (event.type === 'span') row.busy.add(event.start, event.end)
  else if (event.type === 'queue') row.queues.set(event.input, { depth: event.depth, window: event.window })
  else if (event.type === 'metric') absorbMetric(state, event)
  else if (event.type === 'progress') row.progress = progressed(row.progress, event)
  else if (event.type === 'log' && event.level !== 'debug') state.lastLog = `${event.actor.name}: ${event.message}`
  if (event.type !== 'state' && row.state === 'starting') row.state = 'ready'
}

/** Milliseconds that the run will still take as its progress goes, and of what; undefined while nothing is known. */
export function timeLeft(state: LiveState, now: number): { ms: number; of: string | undefined } | undefined {
  const rows = [...state.actors.values()].filter((row) => row.progress)
  const whole = rows.find((row) => row.actor.role === RUN_ROLE)
  if (whole) return left(whole.progress!, now, undefined)
  const phases = rows.flatMap((row) => left(row.progress!, now, row.progress!.phase) ?? [])
  return phases.sort((a, b) => b.ms - a.ms)[0]
}

function left(progress: Progress, now: number, of: string | undefined) {
  const { total, done, doneThen, since, at } = progress
  if (total === undefined || done >= total || done <= doneThen || at <= since) return undefined
  return { ms: Math.max(0, ((total - done) * (at - since)) / (done - doneThen) - (now - at)), of }
}

function rowOf(state: LiveState, actor: ActorIdentity): ActorRow {
  const known = state.actors.get(actor.name)
  if (known) return known
  const row: ActorRow = { actor, state: 'starting', progress: undefined, busy: busyMeter(), queues: new Map() }
  state.actors.set(actor.name, row)
  return row
}

function absorbMetric(state: LiveState, event: Extract<RunEvent, { type: 'metric' }>): void {
  const { name, value, at, actor } = event
  const known = state.metrics.get(name)
  if (!known && state.metrics.size >= MAX_METRICS) return
  const row = known ?? { role: actor.role, latest: value, mean: 0, max: value, count: 0, at }
  row.latest = value
  row.count += 1
  row.mean += (value - row.mean) / row.count
  row.max = Math.max(row.max, value)
  row.at = at
  state.metrics.set(name, row)
}

function progressed(before: Progress | undefined, event: Extract<RunEvent, { type: 'progress' }>): Progress {
  const { phase, done, total, unit, at } = event
  const same = before?.phase === phase && done >= before.doneThen
  return { phase, done, total, unit, at, since: same ? before.since : at, doneThen: same ? before.doneThen : done }
}
