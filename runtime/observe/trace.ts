import type { ActorIdentity, RunEvent } from './events.js'

/** One event of the Chrome trace-event format, as far as Troupe writes it. Times are microseconds since the run began. */
export interface TraceEvent {
  /** `X` a turn, `C` a counter's new value, `M` the name or place of a track. */
  readonly ph: 'X' | 'C' | 'M'
  readonly name: string
  readonly pid: number
  readonly tid: number
  readonly ts: number
  readonly dur?: number
  /** The actor's role. */
  readonly cat?: string
  readonly args: Readonly<Record<string, number | string>>
}

export interface TraceTranslator {
  /** The trace events that say the same as `event`, and the track's metadata when its actor is new. */
  translate(event: RunEvent): TraceEvent[]
  /** Places the tracks by the actors' names, whatever the order in which threads happened to start. */
  finish(): TraceEvent[]
}

const PID = 1
const MICROSECONDS = 1000

/**
 * Turns run events into a trace that Perfetto and `chrome://tracing` open: a track per actor with its turns, a counter
 * per queue and per metric. Holds nothing but the actors' track numbers; `known` are those that a resumed trace has already.
 */
export function traceTranslator(
  title: string,
  startedAt: number,
  known: ReadonlyMap<string, number> = new Map(),
): TraceTranslator {
  const tracks = new Map(known)
  const micros = (at: number) => Math.round((at - startedAt) * MICROSECONDS)
  const metadata = (name: string, tid: number, args: TraceEvent['args']): TraceEvent => ({
    ph: 'M',
    name,
    pid: PID,
    tid,
    ts: 0,
    args,
  })

  function track(actor: ActorIdentity, events: TraceEvent[]): number {
    const own = tracks.get(actor.name)
    if (own !== undefined) return own
    const tid = tracks.size + 1
    if (tid === 1) events.push(metadata('process_name', 0, { name: title, startedAt }))
    tracks.set(actor.name, tid)
    events.push(metadata('thread_name', tid, { name: actor.name }))
    return tid
  }

  function counter(actor: ActorIdentity, at: number, name: string, value: number): TraceEvent[] {
    const events: TraceEvent[] = []
    const tid = track(actor, events)
    if (Number.isFinite(value))
      events.push({ ph: 'C', name, pid: PID, tid, ts: micros(at), cat: actor.role, args: { value } })
    return events
  }

  return {
    translate(event) {
      if (event.type === 'queue')
        return counter(event.actor, event.at, `${event.actor.name} queue: ${event.input}`, event.depth)
      if (event.type === 'metric') return counter(event.actor, event.at, event.name, event.value)
      const events: TraceEvent[] = []
      const tid = track(event.actor, events)
      if (event.type === 'span') {
        events.push({
          ph: 'X',
          name: event.name,
          pid: PID,
          tid,
          ts: micros(event.start),
          dur: Math.max(0, micros(event.end) - micros(event.start)),
          cat: event.actor.role,
          args: { ...event.attributes, queuedMs: Math.max(0, event.start - event.queuedAt) },
        })
      }
      return events
    },
    finish: () =>
      [...tracks.keys()]
        .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))
        .map((name, index) => metadata('thread_sort_index', tracks.get(name)!, { sort_index: index })),
  }
}
