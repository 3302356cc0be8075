import { beginningOf } from '../../runtime/observe/run-time.js'
import type { ActorStatus, MetricStatus, RunStatus } from '../../runtime/observe/status.js'
import { RUN_ROLE } from '../live/state.js'
import { duration, figure, line, percent, type Segment } from '../live/text.js'
import { trouble } from '../live/trouble.js'
import type { ViewSize } from '../live/view.js'
import type { Life } from './read.js'

const MIB = 2 ** 20
const MAX_LOGS = 5
/** Kept free below, for what is said of a run that does not simply go on. */
const SENTENCE_ROWS = 3
const GAP = '  '

interface Column {
  readonly head: string
  readonly left?: true
  /** Left out where the terminal is narrow: those with the greatest number first; never where there is none. */
  readonly drop?: number
  readonly text: (actor: ActorStatus) => string
  readonly style?: (actor: ActorStatus) => NonNullable<Segment['style']>
}

const COLUMNS: readonly Column[] = [
  { head: 'actor', left: true, text: ({ name }) => name, style: () => 'bold' },
  { head: 'doing', left: true, text: doing, style: ({ state }) => STATE_STYLE[state] },
  { head: 'trouble', left: true, text: trouble, style: () => 'yellow' },
  { head: 'busy', text: ({ busy }) => percent(busy), style: ({ busy }) => (busy >= 0.5 ? 'green' : 'dim') },
  { head: 'turns/s', drop: 1, text: ({ turnsPerSecond }) => figure(round(turnsPerSecond)) },
  { head: 'queued', drop: 3, text: (actor) => time(actor, actor.queuedMs) },
  { head: 'work', drop: 2, text: (actor) => time(actor, actor.workMs) },
  { head: 'CPU', drop: 4, text: ({ cpu }) => (cpu === undefined ? '' : percent(cpu)) },
  { head: 'heap', drop: 5, text: ({ usage }) => mib(usage?.heapUsedBytes) },
  { head: 'buffers', drop: 6, text: ({ usage }) => mib(usage?.arrayBuffersBytes) },
  { head: 'tensors', drop: 7, text: ({ usage }) => mib(usage?.tensorBytes) },
  { head: 'inputs', left: true, text: inputs },
]

const STATE_STYLE = { starting: 'yellow', ready: 'blue', stopped: 'dim', failed: 'red', restarting: 'yellow' } as const

/** A run's status as lines that fit the terminal; depends on nothing but its arguments. */
export function renderTop(status: RunStatus, life: Life, now: number, size: ViewSize): string[] {
  const columns = Math.max(20, size.columns)
  const draw = (segments: readonly Segment[]) => line(segments, columns, size.colour)
  const actors = status.actors.filter(({ role }) => role !== RUN_ROLE)
  const above = [draw(header(status, life, now)), ...totals(status).map((text) => draw([{ text }])), '']
  const room = Math.max(1, size.rows - above.length - 1 - SENTENCE_ROWS)
  const shown = actors.length > room ? actors.slice(0, room - 1) : actors
  const hidden = actors.length - shown.length
  const logs = shown
    .flatMap(({ name, lastLog }) => (lastLog ? [{ name, ...lastLog }] : []))
    .sort((a, b) => b.at - a.at)
    .slice(0, Math.max(0, Math.min(MAX_LOGS, room - shown.length - 2)))
  return [
    ...above,
    ...table(shown, columns).map(draw),
    ...(hidden > 0 ? [draw([{ text: `… and ${hidden} more actors`, style: 'dim' }])] : []),
    ...(logs.length > 0 ? [''] : []),
    ...logs.map(({ name, at, text }) =>
      draw([{ text: `[${duration(at - beginningOf(status))}] ${name}: ${text}`, style: 'dim' }]),
    ),
  ]
}

/** The one sentence that says how the run is, if it does not simply go on. */
export function lifeSentence(status: RunStatus, life: Life, now: number): string | undefined {
  const { ended, pid, host, at } = status
  const silence = `${duration(now - at)} without a word`
  switch (life) {
    case 'running':
      return undefined
    case 'silent':
      return `The run has been ${silence}; its process ${pid} on ${host} is still there.`
    case 'done':
      return 'The run is done.'
    case 'failed':
      return `The run failed: ${ended?.message ?? 'without a reason'} (${ended?.code ?? 'E_FAILED'}).`
    case 'dead':
      return `The run is dead: ${silence}, and its process ${pid} is gone. It did not stop by itself.`
  }
}

function header(status: RunStatus, life: Life, now: number): Segment[] {
  const { scenario, preset, seed, stage, backend, startedAt, at, pid, virtualMs } = status
  const until = life === 'running' || life === 'silent' ? now : at
  return [
    { text: preset ? `${scenario} ${preset}` : scenario, style: 'bold' },
    { text: ` · seed ${seed} · ${stage} · ${backend} · pid ${pid} · `, style: 'dim' },
    { text: duration(until - startedAt), style: 'bold' },
    ...(virtualMs === undefined ? [] : [{ text: `, ${duration(virtualMs)} virtual` }]),
    { text: ` · ${life}`, style: LIFE_STYLE[life] },
  ]
}

const LIFE_STYLE = { running: 'green', silent: 'yellow', done: 'dim', failed: 'red', dead: 'red' } as const

/** What the whole run adds up to: its process, where the samples are, and how stale those were that were used. */
function totals({ metrics, process: { cpuMs, rssBytes }, at, startedAt }: RunStatus): string[] {
  const version = metrics['learner/version']
  const used = `process  ${duration(cpuMs)} of CPU (${figure(round(cpuMs / Math.max(1, at - startedAt)))} cores), ${mib(rssBytes)} resident`
  const issued = metrics['samples/issued']
  const lag = metrics['staleness/lag_mean']
  return [
    used,
    ...(issued ? [`samples  ${accounts(issued, metrics)}`] : []),
    ...(version || lag
      ? [
          `learner  ${[version && `version ${version.latest}`, lag && staleness(lag, metrics)].filter(Boolean).join(', ')}`,
        ]
      : []),
  ]
}

function accounts(issued: MetricStatus, metrics: RunStatus['metrics']): string {
  const consumed = metrics['samples/consumed']?.sum ?? 0
  const dropped = metrics['samples/dropped']?.sum ?? 0
  return `${issued.sum} issued = ${consumed} consumed + ${dropped} dropped + ${issued.sum - consumed - dropped} in flight`
}

function staleness(lag: MetricStatus, metrics: RunStatus['metrics']): string {
  const max = metrics['staleness/lag_max']?.max ?? lag.max
  return `lag ${figure(round(lag.latest))} (mean ${figure(round(lag.mean))}, max ${figure(max)})`
}

/** Columns that have nothing to say of any actor are left out, and those that there is no room for. */
function table(actors: readonly ActorStatus[], room: number): Segment[][] {
  const filled = COLUMNS.map((column) => {
    const cells = actors.map(column.text)
    return { ...column, cells, width: Math.max(column.head.length, ...cells.map((cell) => cell.length)) }
  }).filter(({ cells }, index) => index === 0 || cells.some((cell) => cell !== ''))
  const droppable = filled.flatMap(({ drop }) => drop ?? []).sort((a, b) => b - a)
  const fits = (most: number) =>
    filled.reduce((sum, { drop = 0, width }) => (drop <= most ? sum + width + GAP.length : sum), 0) <= room
  const most = droppable.find(fits) ?? 0
  const kept = filled.filter(({ drop = 0 }) => drop <= most)
  const pad = (text: string, { width, left }: (typeof kept)[number]) =>
    (left ? text.padEnd(width) : text.padStart(width)) + GAP
  return [
    kept.map((column) => ({ text: pad(column.head, column), style: 'dim' })),
    ...actors.map((actor, row) =>
      kept.map((column) => ({
        text: pad(column.cells[row] ?? '', column),
        ...(column.style ? { style: column.style(actor) } : {}),
      })),
    ),
  ]
}

function doing({ state, progress }: ActorStatus): string {
  if (state !== 'ready') return state
  if (!progress) return 'ready'
  const { phase, done, total } = progress
  return `${phase} ${figure(done)}${total === undefined ? '' : `/${figure(total)}`}`
}

/** Waiting messages and room at each input; its name where there are several. */
function inputs({ queues }: ActorStatus): string {
  const all = Object.entries(queues).map(([input, { depth, window }]) => ({ input, load: `${depth}/${window}` }))
  return all.map(({ input, load }) => (all.length > 1 ? `${input} ${load}` : load)).join(' ')
}

/** Of turns that there were none of, nothing is known. */
function time({ turnsPerSecond }: ActorStatus, ms: number): string {
  if (turnsPerSecond === 0) return ''
  return ms >= 1000 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms)} ms`
}

function mib(bytes: number | undefined): string {
  return bytes === undefined ? '' : `${Math.round(bytes / MIB)} MiB`
}

function round(value: number): number {
  return Number(value.toPrecision(2))
}
