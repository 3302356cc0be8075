import { enter, type Progress, type RunBook, runBook } from '../../runtime/observe/book.js'
import type { RunEvent } from '../../runtime/observe/events.js'
import { beginningOf, isVirtual, timeOf } from '../../runtime/observe/run-time.js'

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

/** What the live view shows. */
export interface LiveState extends RunBook {
  readonly facts: RunFacts
  /** Of a virtual run: how far its own time has come. */
  virtualMs: number | undefined
  stopping: boolean
}

/** The role under which a scenario may report the progress of the whole run: it drives the time left. */
export const RUN_ROLE = 'run'

export function liveState(facts: RunFacts): LiveState {
  return { ...runBook(), facts, virtualMs: isVirtual(facts) ? 0 : undefined, stopping: false }
}

/** Takes one event in. Progress is dated by the machine: the time left is of that, and not of virtual time. */
export function absorb(state: LiveState, event: RunEvent, heardAt = timeOf(event)): void {
  if (state.virtualMs !== undefined) state.virtualMs = Math.max(state.virtualMs, timeOf(event))
  const stamped = state.virtualMs !== undefined && event.type === 'progress' ? { ...event, at: heardAt } : event
  enter(state, stamped)
}

/** The run's own time now, and when that began. */
export function ownTime({ facts, virtualMs }: LiveState, now: number): { now: number; since: number } {
  return { now: virtualMs ?? now, since: beginningOf(facts) }
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
