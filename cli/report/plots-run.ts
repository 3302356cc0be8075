import type { Summary } from '../../scenarios/summary.js'
import { axis, type Chart, FRAME } from './chart.js'
import { type Curve, smooth } from './curve.js'
import type { RunData } from './read.js'

/** Lags of the samples that were used, side by side. */
export function lagChart({ staleness }: Summary): Chart {
  const all = [
    ['lag', staleness.lag],
    ['in queue', staleness.inQueue],
    ['in flight', staleness.inFlight],
    ['judge lag', staleness.judgeLag],
  ] as const
  // A part that was always 0 would dwarf the others: it is told, not drawn.
  const never = all.filter(([, lag], index) => index > 0 && lag.max === 0).map(([name]) => name)
  const kinds = all.filter(([name]) => !never.includes(name))
  const greatest = Math.max(...kinds.map(([, lag]) => lag.max))
  const values = Array.from({ length: Math.min(greatest, 60) + 1 }, (_, lag) => String(lag))
  return {
    title: 'Staleness when used',
    caption:
      'How many versions older than the learner the sample’s writer, or its judge, was when the learner used it.' +
      (never.length > 0 ? ` Always 0: ${never.join(', ')}.` : ''),
    legend: kinds.map(([name]) => name),
    option: {
      ...FRAME,
      xAxis: axis('category', 'learner versions', { data: values }),
      yAxis: axis('value', 'samples', { nameGap: 44 }),
      series: kinds.map(([name, lag]) => ({
        type: 'bar',
        name,
        data: values.map((value) => lag.histogram[value] ?? 0),
      })),
    },
  }
}

/** Curves that have a place of their own, by the last part of the metric's name; everything else follows after them. */
const PLACES = [
  { title: 'Loss', caption: 'The learner’s loss at each update.', unit: 'loss', pattern: /loss$/i },
  {
    title: 'Reward margin',
    caption: 'Implicit reward of the chosen over the rejected answer.',
    unit: 'β · nats',
    pattern: /margins?$/i,
  },
  {
    title: 'Judge’s score',
    caption: 'Mean score of the answers as the judge gave it.',
    unit: 'points',
    pattern: /(^|\/)judge\/.*score$/i,
  },
] as const

/** Every metric over time: the telling ones first, then the others. Metrics with fewer than three values are not drawn. */
export function metricCharts(data: RunData): { first: Chart[]; others: Chart[] } {
  const curves = [...data.metrics].filter(([, curve]) => curve.length > 2)
  const first = PLACES.flatMap(({ title, caption, unit, pattern }) => {
    const lines = curves.filter(([name]) => pattern.test(name))
    return lines.length > 0 ? [overTime(title, caption, unit, lines, true)] : []
  })
  const others = curves
    .filter(([name]) => !PLACES.some(({ pattern }) => pattern.test(name)))
    .map(([name, curve]) => overTime(name, '', '', [[name, curve]], false))
  return { first, others }
}

/** Depths of the queues between the actors. */
export function queueChart(data: RunData): Chart[] {
  const lines = [...data.queues].filter(([, curve]) => curve.length > 1)
  if (lines.length === 0) return []
  const caption = 'Messages that waited at each input. A full queue makes its sender wait.'
  return [overTime('Queues', caption, 'messages', lines, true, { size: 'wide' })]
}

function overTime(
  title: string,
  caption: string,
  unit: string,
  lines: readonly (readonly [name: string, curve: Curve])[],
  smoothed: boolean,
  more: Partial<Chart> = {},
): Chart {
  return {
    title,
    caption:
      smoothed && lines.some(([, curve]) => curve.length >= 8) ? `${caption} Running mean over the points.` : caption,
    legend: lines.map(([name]) => name.replaceAll('_', ' ')),
    option: {
      ...FRAME,
      xAxis: axis('value', 'seconds', { splitLine: { show: false }, min: 0 }),
      yAxis: axis('value', unit, { nameGap: 44, scale: true }),
      series: lines.map(([name, curve]) => ({
        type: 'line',
        name,
        showSymbol: false,
        lineStyle: { width: 1.6 },
        data: (smoothed ? smooth(curve) : curve).map(([x, y]) => [x, y]),
      })),
    },
    ...more,
  }
}
