import type { CustomSeriesRenderItem } from 'echarts'
import type { Summary } from '../../scenarios/summary.js'
import { axis, type Chart, COLOURS, FRAME, INK, MUTED } from './chart.js'
import type { EvaluationLine } from './evaluations.js'
import { against } from './tables.js'

/** How the models became better (or not), one point per iteration. */
export function iterationCharts({ iterations }: Summary, evaluations: readonly EvaluationLine[]): Chart[] {
  const names = iterations.map((row) => row.name)
  const judged = (['pairAccuracy', 'exactMatch', 'fiveBest', 'spearman', 'kendall'] as const)
    .map((key) => ({ name: JUDGE_NAMES[key], values: iterations.map((row) => row.judge[key]) }))
    .filter((line) => line.values.some((value) => value !== null))
  return [
    ...goldCharts(iterations, evaluations),
    ...(judged.length > 0 ? [judgeChart(names, judged)] : []),
    perIteration(
      'Answer length',
      'Mean tokens of an answer.',
      names,
      'tokens',
      [{ name: 'length', values: iterations.map((row) => row.meanLength) }],
      { size: 'small' },
    ),
    perIteration(
      'Distance from M1',
      'Mean sequence KL divergence to the first model.',
      names,
      'nats',
      [{ name: 'KL', values: iterations.map((row) => row.kl) }],
      { size: 'small' },
    ),
    {
      title: 'Pairs',
      size: 'small',
      caption: 'Preference pairs, and groups whose best and worst were tied.',
      legend: ['trained on', 'dropped as ties'],
      option: {
        ...FRAME,
        xAxis: axis('category', 'model', { data: names }),
        yAxis: axis('value', 'pairs', { nameGap: 44 }),
        series: [
          {
            type: 'bar',
            name: 'trained on',
            stack: 'pairs',
            barMaxWidth: 48,
            data: iterations.map((row) => row.pairs),
          },
          { type: 'bar', name: 'dropped as ties', stack: 'pairs', data: iterations.map((row) => row.droppedTies) },
        ],
      },
    },
  ]
}

/** What the gold scorer says; nothing where there was none. */
function goldCharts(iterations: Summary['iterations'], evaluations: readonly EvaluationLine[]): Chart[] {
  if (iterations.every(({ goldScore }) => goldScore === null)) return []
  const names = iterations.map((row) => row.name)
  return [
    winRateChart(iterations),
    ...criteriaChart(names, evaluations),
    perIteration(
      'Gold score',
      'Mean points (0 to 5) that the gold scorer gives to answers to held-out prompts.',
      names,
      'points',
      [{ name: 'gold score', values: iterations.map((row) => row.goldScore) }],
    ),
  ]
}

const judgeChart = (names: readonly string[], lines: readonly Line[]): Chart =>
  perIteration(
    'Agreement of the judge',
    'The model as a judge against the gold order, on the fixed held-out set.',
    names,
    'agreement',
    lines,
  )

/** Where the gold points come from: the fraction of answers that satisfy each criterion. */
function criteriaChart(names: readonly string[], evaluations: readonly EvaluationLine[]): Chart[] {
  const criteria = [...new Set(evaluations.flatMap((evaluation) => Object.keys(evaluation.criteria)))]
  if (criteria.length === 0) return []
  const of = (name: string) => evaluations.find((evaluation) => evaluation.name === name)?.criteria
  const values = (criterion: string) =>
    names.map((name) => {
      const part = of(name)?.[criterion]
      return part === undefined ? null : 100 * part
    })
  const lines = criteria.map((criterion) => ({ name: criterion, values: values(criterion) }))
  const caption = 'Share of answers to held-out prompts that satisfy each criterion of the gold scorer.'
  return [perIteration('What the answers satisfy', caption, names, '%', lines)]
}

const JUDGE_NAMES = {
  pairAccuracy: 'pair accuracy',
  exactMatch: 'exact order',
  fiveBest: 'fives are best',
  spearman: 'Spearman',
  kendall: 'Kendall',
} as const

interface Line {
  readonly name: string
  readonly values: readonly (number | null)[]
}

function perIteration(
  title: string,
  caption: string,
  names: readonly string[],
  unit: string,
  lines: readonly Line[],
  more: Partial<Chart> = {},
): Chart {
  return {
    title,
    caption,
    legend: lines.map((line) => line.name),
    option: {
      ...FRAME,
      xAxis: axis('category', 'model', { data: [...names] }),
      yAxis: axis('value', unit, { nameGap: 44, scale: true }),
      series: lines.map((line) => ({
        type: 'line',
        name: line.name,
        data: [...line.values],
        symbol: 'circle',
        symbolSize: 8,
        lineStyle: { width: 2 },
      })),
    },
    ...more,
  }
}

/** Draws the interval of one point: data are [category, low, high]. */
const drawInterval: CustomSeriesRenderItem = (_params, api) => {
  const x = api.value(0)
  const [left, low] = api.coord([x, api.value(1)]) as [number, number]
  const [, high] = api.coord([x, api.value(2)]) as [number, number]
  const style = { stroke: COLOURS[0], lineWidth: 2 }
  const bar = (x1: number, y1: number, x2: number, y2: number) => ({
    type: 'line' as const,
    shape: { x1, y1, x2, y2 },
    style,
  })
  const cap = 6
  return {
    type: 'group',
    children: [
      bar(left, low, left, high),
      bar(left - cap, low, left + cap, low),
      bar(left - cap, high, left + cap, high),
    ],
  }
}

function winRateChart(iterations: Summary['iterations']): Chart {
  const other = against(iterations)
  const self = iterations.some((row) => row.name === other && row.goldWinRate)
  const percent = (value: number) => 100 * value
  const reach = iterations.flatMap((row) => (row.goldWinRate ? [row.goldWinRate.low, row.goldWinRate.high] : []))
  return {
    title: `Gold win rate against ${other}`,
    caption:
      'Share of held-out comparisons in which the gold scorer prefers the model’s answer, ties half; bars are 95 % intervals.' +
      (self ? ` ${other} stands against a second sampling of itself.` : ''),
    option: {
      ...FRAME,
      xAxis: axis('category', 'model', { data: iterations.map((row) => row.name) }),
      yAxis: axis('value', '%', {
        nameGap: 40,
        min: Math.max(0, Math.floor(percent(Math.min(0.4, ...reach)) / 10) * 10),
        max: Math.min(100, Math.ceil(percent(Math.max(0.6, ...reach)) / 10) * 10),
      }),
      series: [
        {
          type: 'custom',
          renderItem: drawInterval,
          data: iterations.flatMap(({ goldWinRate: rate }, i) =>
            rate ? [[i, percent(rate.low), percent(rate.high)]] : [],
          ),
        },
        {
          type: 'scatter',
          symbolSize: 11,
          itemStyle: { color: COLOURS[0] },
          label: {
            show: true,
            position: 'right',
            distance: 10,
            color: INK,
            fontFamily: 'inherit',
            formatter: '{@[1]} %',
          },
          data: iterations.flatMap(({ goldWinRate: rate }, i) =>
            rate ? [[i, Number(percent(rate.mean).toFixed(1))]] : [],
          ),
          markLine: {
            symbol: 'none',
            silent: true,
            lineStyle: { color: MUTED, type: 'dashed' },
            label: { formatter: 'even', color: MUTED, position: 'insideStartTop' },
            data: [{ yAxis: 50 }],
          },
        },
      ],
    },
  }
}
