import type { CustomSeriesRenderItem } from 'echarts'
import { axis, type Chart, COLOURS, TEXT } from './chart.js'
import type { RunData } from './read.js'

/** Turns nearer together than this part of the run are drawn as one, fainter by the time between them. */
const RESOLUTION = 1 / 1000
const ROW = 26
/** Width of a character of the actors' names, about. */
const CHARACTER = 7

interface Stretch {
  readonly from: number
  to: number
  busy: number
}

/** Who was busy when: one row per actor, a mark wherever it was in a turn. */
export function timelineChart(data: RunData): Chart[] {
  const turns = data.turns.filter((turn) => (turn.dur ?? 0) > 0)
  if (turns.length === 0) return []
  const end = turns.reduce((latest, turn) => Math.max(latest, turn.ts + (turn.dur ?? 0)), 0)
  const names = [...new Set(turns.map((turn) => data.tracks.get(turn.tid) ?? `track ${turn.tid}`))].sort(byName)
  const roles = [...new Set(turns.map((turn) => turn.cat ?? ''))].sort()
  const marks = names.flatMap((name, row) => {
    const own = turns.filter((turn) => (data.tracks.get(turn.tid) ?? `track ${turn.tid}`) === name)
    const colour = roles.indexOf(own[0]?.cat ?? '') % COLOURS.length
    return stretches(own, end * RESOLUTION).map(({ from, to, busy }) => [
      from / 1e6,
      to / 1e6,
      row,
      colour,
      0.25 + 0.75 * (busy / (to - from)),
    ])
  })
  return [
    {
      title: 'Who was busy when',
      caption:
        'Every turn of every actor. Faint: turns so short that pauses between them cannot be drawn. trace.json has them all.',
      size: 'wide',
      height: names.length * ROW + 66,
      option: {
        grid: {
          left: 16 + CHARACTER * Math.max(8, ...names.map((name) => name.length)),
          right: 16,
          top: 8,
          bottom: 48,
        },
        xAxis: axis('value', 'seconds', {
          min: 0,
          max: end / 1e6,
          splitLine: { show: false },
          axisLabel: { ...TEXT, showMaxLabel: false },
        }),
        yAxis: axis('category', '', { data: names, inverse: true, axisLine: { show: false } }),
        series: [{ type: 'custom', renderItem: drawStretch, clip: true, data: marks, encode: { x: [0, 1], y: 2 } }],
      },
    },
  ]
}

function byName(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true })
}

function stretches(turns: RunData['turns'], gap: number): Stretch[] {
  const out: Stretch[] = []
  for (const turn of [...turns].sort((a, b) => a.ts - b.ts)) {
    const duration = turn.dur ?? 0
    const last = out.at(-1)
    if (last && turn.ts - last.to < gap && turn.ts - last.from < gap) {
      last.to = Math.max(last.to, turn.ts + duration)
      last.busy += duration
    } else out.push({ from: turn.ts, to: turn.ts + duration, busy: duration })
  }
  return out
}

const drawStretch: CustomSeriesRenderItem = (_params, api) => {
  const row = api.value(2)
  const [left, middle] = api.coord([api.value(0), row]) as [number, number]
  const [right] = api.coord([api.value(1), row]) as [number, number]
  const height = ROW * 0.62
  return {
    type: 'rect',
    shape: { x: left, y: middle - height / 2, width: Math.max(0.8, right - left), height },
    style: { fill: COLOURS[Number(api.value(3))]!, opacity: Math.min(1, Number(api.value(4))) },
  }
}
