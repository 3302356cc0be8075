import type { ActorIdentity, RunEvent, UsageEvent } from './events.js'

type StateEvent = Extract<RunEvent, { type: 'state' }>
type AsideEvent = Extract<RunEvent, { type: 'aside' }>

/** One event of the Chrome trace-event format, as far as Troupe writes it. Times are microseconds since the run began. */
export interface TraceEvent {
  /** `X` a turn, `C` a counter's new value, `i` a moment, `M` the name or place of a track. */
  readonly ph: 'X' | 'C' | 'i' | 'M'
  readonly name: string
  readonly pid: number
  readonly tid: number
  readonly ts: number
  readonly dur?: number
  /** The actor's role. */
  readonly cat?: string
  /** How far a moment's mark reaches: over its track. */
  readonly s?: 't'
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
const MIB = 2 ** 20
/** States that are marked on an actor's track. */
const TROUBLE: readonly StateEvent['state'][] = ['failed', 'restarting']

/**
 * Turns run events into a trace that Perfetto and `chrome://tracing` open: a track per actor with its turns, its
 * failures and restarts, and a counter per queue, per metric and per measure of what an actor uses. Holds nothing but the
 * actors' track numbers and their processor time; `known` are the tracks that a resumed trace has already.
 */
export function traceTranslator(
  title: string,
  startedAt: number,
  known: ReadonlyMap<string, number> = new Map(),
): TraceTranslator {
  const tracks = new Map(known)
  const cpu = new Map<string, UsageEvent>()
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

  /** Processor time as a fraction of the time since the report before; memory in MiB. */
  function usage(event: UsageEvent): TraceEvent[] {
    const { actor, at } = event
    const before = cpu.get(actor.name)
    cpu.set(actor.name, event)
    const passed = before ? at - before.at : 0
    return [
      ...(before && passed > 0
        ? counter(actor, at, `${actor.name} cpu`, Math.max(0, event.cpuMs - before.cpuMs) / passed)
        : []),
      ...counter(actor, at, `${actor.name} heap MiB`, event.heapUsedBytes / MIB),
      ...counter(actor, at, `${actor.name} buffers MiB`, event.arrayBuffersBytes / MIB),
      ...counter(actor, at, `${actor.name} tensors MiB`, event.tensorBytes / MIB),
    ]
  }

  function moment(event: StateEvent | AsideEvent, tid: number): TraceEvent {
    const { actor, at, error } = event
    const code = (event.type === 'state' ? event.code : undefined) ?? error?.code
    return {
      ph: 'i',
      name: event.type === 'aside' ? 'message set aside' : event.state,
      pid: PID,
      tid,
      ts: micros(at),
      s: 't',
      cat: actor.role,
      args: { ...(code ? { code } : {}), ...(error ? { message: error.message } : {}) },
    }
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
      if (event.type === 'usage') return usage(event)
      const events: TraceEvent[] = []
      const tid = track(event.actor, events)
      if (event.type === 'aside' || (event.type === 'state' && TROUBLE.includes(event.state)))
        events.push(moment(event, tid))
      if (event.type === 'span') {
        const { start, end, queuedAt } = event
        events.push({
          ph: 'X',
          name: event.name,
          pid: PID,
          tid,
          ts: micros(start),
          dur: Math.max(0, micros(end) - micros(start)),
          cat: event.actor.role,
          args: { ...event.attributes, queuedMs: Math.max(0, start - queuedAt), workMs: Math.max(0, end - start) },
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
