import type { ActorEntry } from '../../runtime/observe/book.js'
import { metricPhrases } from './metrics.js'
import { type LiveState, ownTime, RUN_ROLE, timeLeft } from './state.js'
import { bar, duration, figure, line, padTo, percent, type Segment } from './text.js'
import { trouble } from './trouble.js'

export interface ViewSize {
  readonly columns: number
  readonly rows: number
  readonly colour: boolean
}

const BAR_WIDTH = 12
const METRIC_LINES = 2

/** The whole live view as lines that fit the terminal; depends on nothing but its arguments. */
export function renderLive(state: LiveState, now: number, size: ViewSize): string[] {
  const columns = Math.max(20, size.columns)
  const draw = (segments: readonly Segment[]) => line(segments, columns, size.colour)
  const rows = [...state.actors.values()].filter((row) => row.actor.role !== RUN_ROLE)
  const nameWidth = Math.min(18, Math.max(8, ...rows.map((row) => row.actor.name.length)))
  const phaseWidth = Math.min(14, Math.max(7, ...rows.map((row) => (row.progress?.phase ?? row.state).length)))
  const countWidth = Math.min(28, Math.max(18, ...rows.map((row) => (row.progress ? count(row.progress).length : 0))))
  const room = Math.max(1, size.rows - 3 - METRIC_LINES)
  const shown = rows.length > room ? rows.slice(0, room - 1) : rows
  const hidden = rows.length - shown.length
  return [
    draw(header(state, now)),
    ...shown.map((row) => draw(actorRow(row, state, now, { name: nameWidth, phase: phaseWidth, count: countWidth }))),
    ...(hidden > 0 ? [draw([{ text: `… and ${hidden} more actors`, style: 'dim' }])] : []),
    ...wrap(metricPhrases(state), columns - 2, METRIC_LINES).map((text) => draw([{ text: `  ${text}` }])),
    ...(state.lastLog ? [draw([{ text: `  ${state.lastLog}`, style: 'dim' }])] : []),
  ]
}

function header(state: LiveState, now: number): Segment[] {
  const { scenario, preset, seed, stage, backend, startedAt } = state.facts
  const left = timeLeft(state, now)
  const remaining = left ? `, about ${duration(left.ms)} left${left.of ? ` in ${left.of}` : ''}` : ''
  return [
    { text: `${scenario} ${preset}`, style: 'bold' },
    { text: ` · seed ${seed} · ${stage} · ${backend} · `, style: 'dim' },
    { text: duration(now - startedAt), style: 'bold' },
    ...(state.virtualMs === undefined ? [] : [{ text: `, ${duration(state.virtualMs)} virtual` }]),
    { text: state.stopping ? ', stopping (Ctrl-C again to stop at once)' : remaining },
  ]
}

interface ColumnWidths {
  readonly name: number
  readonly phase: number
  readonly count: number
}

function actorRow(row: ActorEntry, state: LiveState, now: number, width: ColumnWidths): Segment[] {
  const { progress } = row
  const own = ownTime(state, now)
  const { busy } = row.turns.recent(own.now, own.since)
  const fraction = progress?.total ? progress.done / progress.total : 0
  return [
    { text: padTo(row.actor.name, width.name), style: 'bold' },
    { text: ` ${padTo(label(row), width.phase)} `, style: STATE_STYLE[row.state] },
    { text: progress?.total ? bar(fraction, BAR_WIDTH) : ' '.repeat(BAR_WIDTH), style: 'cyan' },
    { text: ` ${padTo(progress ? count(progress) : '', width.count)}` },
    { text: ` ${percent(busy).padStart(5)} `, style: busy >= 0.5 ? 'green' : 'dim' },
    {
      text: [...row.queues].map(([input, { depth, window }]) => `${input} ${depth}/${window}`).join(' '),
      style: 'dim',
    },
    ...(trouble(row) ? [{ text: ` ${trouble(row)}`, style: 'yellow' } as const] : []),
  ]
}

const STATE_STYLE = { starting: 'yellow', ready: 'blue', stopped: 'dim', failed: 'red', restarting: 'yellow' } as const

function label(row: ActorEntry): string {
  return row.state === 'ready' ? (row.progress?.phase ?? 'ready') : row.state
}

function count({ done, total, unit }: { done: number; total: number | undefined; unit: string }): string {
  return `${figure(done)}${total === undefined ? '' : `/${figure(total)}`} ${unit}`
}

/** Phrases joined by dots into at most `lines` lines; what does not fit is left out, whole phrases only. */
function wrap(phrases: readonly string[], width: number, lines: number): string[] {
  const out: string[] = []
  for (const phrase of phrases) {
    const joined = out.length > 0 ? `${out.at(-1)} · ${phrase}` : phrase
    if (out.length > 0 && joined.length <= width) out[out.length - 1] = joined
    else if (out.length < lines) out.push(phrase)
    else break
  }
  return out
}
