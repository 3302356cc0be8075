import { hostname } from 'node:os'
import type { ActorEntry, ActorState, RunBook } from './book.js'
import type { ActorIdentity, Usage } from './events.js'
import { beginningOf } from './run-time.js'
import type { RecentTurns } from './turn-meter.js'

/** The contents of `status.json`: a run as it is now, for whoever looks from another process. */
export interface RunStatus {
  readonly scenario: string
  readonly preset?: string | undefined
  readonly seed: number
  readonly stage: string
  readonly backend: string
  readonly startedAt: number
  /** When this was written. */
  readonly at: number
  /** Of a virtual run: how far its own time has come. Times of logs and figures of turns are of that time then. */
  readonly virtualMs?: number | undefined
  readonly pid: number
  readonly host: string
  /** Absent while the run goes on. */
  readonly ended?: { readonly how: 'done' | 'failed'; readonly code?: string; readonly message?: string }
  /** Of the process that runs the troupe. */
  readonly process: Usage
  readonly actors: readonly ActorStatus[]
  /** By name; `sum` is that of the actors' latest values. */
  readonly metrics: Readonly<Record<string, MetricStatus>>
}

export interface MetricStatus {
  readonly latest: number
  readonly mean: number
  readonly max: number
  readonly sum: number
}

/** Figures of turns are over the last eight seconds. */
export interface ActorStatus extends ActorIdentity, RecentTurns {
  readonly state: ActorState
  readonly code?: string | undefined
  readonly failures: number
  readonly restarts: number
  readonly setAside: number
  readonly progress?: { phase: string; done: number; total?: number | undefined; unit: string } | undefined
  readonly queues: Readonly<Record<string, { readonly depth: number; readonly window: number }>>
  /** Absent where actors share a thread. */
  readonly usage?: Usage | undefined
  /** Processor time per time. */
  readonly cpu?: number | undefined
  readonly lastLog?: { readonly at: number; readonly text: string } | undefined
}

/** What the status of a run says that its events do not. */
export type RunIdentity = Pick<RunStatus, 'scenario' | 'preset' | 'seed' | 'stage' | 'backend' | 'startedAt'>

export function statusOf(
  book: RunBook,
  run: RunIdentity,
  now: {
    readonly at: number
    readonly virtualMs?: number | undefined
    readonly process: Usage
    readonly ended?: RunStatus['ended']
  },
): RunStatus {
  const { scenario, preset, seed, stage, backend, startedAt } = run
  return {
    ...{ scenario, preset, seed, stage, backend, startedAt },
    at: now.at,
    virtualMs: now.virtualMs,
    pid: process.pid,
    host: hostname(),
    ...(now.ended ? { ended: now.ended } : {}),
    process: now.process,
    actors: [...book.actors.values()].map((entry) => actorStatus(entry, now.virtualMs ?? now.at, beginningOf(run))),
    metrics: Object.fromEntries(
      [...book.metrics].map(([name, { latest, mean, max, byActor }]) => {
        const sum = [...byActor.values()].reduce((a, b) => a + b, 0)
        return [name, { latest, mean, max, sum }]
      }),
    ),
  }
}

function actorStatus(entry: ActorEntry, at: number, startedAt: number): ActorStatus {
  const { actor, state, code, failures, restarts, setAside, progress, turns, queues, usage, cpu, log } = entry
  return {
    ...actor,
    state,
    code,
    failures,
    restarts,
    setAside,
    progress: progress && { phase: progress.phase, done: progress.done, total: progress.total, unit: progress.unit },
    ...turns.recent(at, startedAt),
    queues: Object.fromEntries(queues),
    usage: usage && plainUsage(usage),
    cpu,
    lastLog: log,
  }
}

function plainUsage(usage: Usage): Usage {
  const { cpuMs, cpuOf, eventLoopUtilization, rssBytes, heapUsedBytes, arrayBuffersBytes, tensorBytes } = usage
  return { cpuMs, cpuOf, eventLoopUtilization, rssBytes, heapUsedBytes, arrayBuffersBytes, tensorBytes }
}
