import { BarChart, CustomChart, LineChart, ScatterChart } from 'echarts/charts'
import { GridComponent, MarkLineComponent } from 'echarts/components'
import type { EChartsCoreOption } from 'echarts/core'
import * as echarts from 'echarts/core'
import { SVGRenderer } from 'echarts/renderers'
import { Html } from './html.js'

echarts.use([BarChart, CustomChart, LineChart, ScatterChart, GridComponent, MarkLineComponent, SVGRenderer])

/** Colours that stand for the page's own, which differ by day and night: its style sheet replaces them. */
export const INK = '#111112'
export const MUTED = '#777778'
export const GRID = '#ddddde'

/** Paul Tol's bright scheme: told apart by colour-blind readers, and legible on white and on black. */
export const COLOURS = ['#4477aa', '#ee6677', '#228833', '#ccbb44', '#66ccee', '#aa3377', '#bb8866', '#888888'] as const

export interface Chart {
  readonly title: string
  /** What is plotted, in a sentence. */
  readonly caption: string
  readonly option: EChartsCoreOption
  /** Names of the series in their order, where there is more than one: the page sets them above the plot. */
  readonly legend?: readonly string[]
  /** How much of the page's width it takes: all, half (where it is not said) or a third. */
  readonly size?: 'wide' | 'small'
  readonly height?: number
}

const WIDTH = { wide: 1080, half: 520, small: 340 } as const
const HEIGHT = { wide: 280, half: 280, small: 220 } as const
export const TEXT = { color: MUTED, fontFamily: 'inherit', fontSize: 12 }

/** The renderer's rules for a pointer over the plot, which does nothing here. */
const HOVER_STYLES = /<style[\s\S]*?<\/style>\n?/g

/** Draws a chart as an SVG element, in this process and without a browser. */
export function drawChart(chart: Chart): Html {
  const instance = echarts.init(null, null, {
    renderer: 'svg',
    ssr: true,
    width: WIDTH[chart.size ?? 'half'],
    height: chart.height ?? HEIGHT[chart.size ?? 'half'],
  })
  try {
    instance.setOption({ animation: false, color: [...COLOURS], textStyle: TEXT, ...chart.option })
    return new Html(instance.renderToSVGString().replace(HOVER_STYLES, ''))
  } finally {
    instance.dispose()
  }
}

/** An axis in the report's manner; `name` says what it measures and in which unit. */
export function axis(type: 'value' | 'category', name: string, more: Record<string, unknown> = {}) {
  return {
    type,
    name,
    nameLocation: 'middle',
    nameGap: 32,
    nameTextStyle: TEXT,
    axisLabel: TEXT,
    axisLine: { show: type === 'category', lineStyle: { color: MUTED } },
    axisTick: { show: false },
    splitLine: { show: type === 'value', lineStyle: { color: GRID } },
    ...more,
  }
}

/** Room around the plot for the axes' names. */
export const FRAME = { grid: { left: 58, right: 16, top: 14, bottom: 48 } }
