import { type Overlap, overlap } from '../../runtime/observe/trace-overlap.js'
import { duration, figure, percent } from '../live/text.js'
import { type Chart, COLOURS, drawChart } from './chart.js'
import { Html, html } from './html.js'
import { iterationCharts } from './plots-iterations.js'
import { lagChart, metricCharts, queueChart } from './plots-run.js'
import { timelineChart } from './plots-timeline.js'
import type { RunData } from './read.js'
import { sampleSection } from './samples.js'
import { STYLE } from './style.js'
import { accountTable, configTable, iterationsTable, judgeTable } from './tables.js'

/** The whole report as one document that needs nothing else: no script, no font, no network. */
export function reportPage(data: RunData): string {
  const { description, summary } = data
  const concurrency = overlap(data.turns)
  const { first, others } = metricCharts(data)
  const title = `${String(description.scenario)}, seed ${String(description.seed)}`
  const running = [...timelineChart(data), ...(summary ? [lagChart(summary)] : []), ...first, ...queueChart(data)]
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · Troupe</title><style>${new Html(STYLE)}</style></head><body>
<header><h1>${String(description.scenario)}</h1><p class="caption whole">${subtitle(data)}</p></header>
${outcome(data)}
${summary ? cards(data, concurrency) : html``}
${summary ? html`<h2>Models</h2>${iterationsTable(summary, data.evaluations)}${judgeTable(summary, data.evaluations)}` : html``}
${summary ? html`<h2>Did it become better?</h2>${plots(iterationCharts(summary, data.evaluations))}` : html``}
<h2>How it ran</h2><p class="caption">${timeSentence(data)}${concurrencySentence(concurrency)}</p>${plots(running)}
${summary ? html`<h2>Account</h2>${accountTable(summary)}` : html``}
${sampleSection(data.samples)}
${others.length > 0 ? html`<details><summary>All other metrics</summary>${plots(others)}</details>` : html``}
<details><summary>Configuration</summary>${configTable(description)}</details>
</body></html>
`.markup
}

function subtitle({ description, summary }: RunData): string {
  const { preset, seed, stage, backend, startedAt, troupe } = description
  const started = typeof startedAt === 'number' ? new Date(startedAt).toISOString().slice(0, 16).replace('T', ' ') : ''
  return [
    `preset ${String(preset)}`,
    `seed ${String(seed)}`,
    `stage ${String(stage)}`,
    `backend ${String(backend)}`,
    ...(summary ? [`took ${duration(summary.durationMs)}${stage === 'virtual' ? ' of virtual time' : ''}`] : []),
    ...(started ? [`begun ${started} UTC`] : []),
    ...(troupe ? [`Troupe ${String(troupe)}`] : []),
    ...(summary?.traceHash ? [`trace ${summary.traceHash}`] : []),
  ].join(' · ')
}

function outcome({ summary, error }: RunData): Html {
  if (error) return html`<p class="alarm">This run did not finish (${String(error.code)}): ${String(error.message)}</p>`
  if (!summary) return html`<p class="alarm">This run has not finished: there is no summary yet.</p>`
  return html``
}

function cards({ summary }: RunData, concurrency: Overlap): Html {
  if (!summary) return html``
  const last = summary.iterations.at(-1)
  const rate = last?.goldWinRate
  const figures: [string, string][] = []
  if (last && rate) {
    const interval = `${(100 * rate.low).toFixed(0)} to ${(100 * rate.high).toFixed(0)}`
    const other = rate.against === last.name ? 'a second sampling of itself' : rate.against
    figures.push([
      `${(100 * rate.mean).toFixed(1)} %`,
      `gold win rate of ${last.name} against ${other} (95 %: ${interval})`,
    ])
  }
  if (last?.judge.pairAccuracy != null)
    figures.push([percent(last.judge.pairAccuracy), `of pairs ordered rightly by ${last.name} as judge`])
  figures.push([figure(summary.samples.consumed), `samples used, of ${figure(summary.samples.issued)} issued`])
  figures.push([
    figure(summary.staleness.lag.mean),
    `versions behind on average, ${figure(summary.staleness.lag.max)} at most`,
  ])
  figures.push([String(concurrency.most), 'roles busy at the same moment, at most'])
  return html`<div class="cards">${figures.map(
    ([value, label]) =>
      html`<div class="card"><div class="value">${value}</div><div class="label">${label}</div></div>`,
  )}</div>`
}

function timeSentence({ description }: RunData): string {
  return description.stage === 'virtual'
    ? 'Times here are virtual: costs in the configuration say how long turns take, whatever machine computed them. '
    : ''
}

function concurrencySentence({ most, roles, atLeast }: Overlap): string {
  if (most === 0) return 'No turn was recorded.'
  return (
    `At most ${most} role${most === 1 ? ' was' : 's were'} in a turn at the same moment (${roles.join(', ')}); ` +
    `two or more during ${percent(atLeast.two)} of the time, three or more during ${percent(atLeast.three)}.`
  )
}

function plots(charts: readonly Chart[]): Html {
  return html`<div class="plots">${charts.map(
    (chart) => html`<figure class="${chart.size ?? 'half'}"><h3>${chart.title}</h3>
<p class="caption">${chart.caption}</p>${legend(chart.legend ?? [])}${drawChart(chart)}</figure>`,
  )}</div>`
}

function legend(names: readonly string[]): Html {
  if (names.length < 2) return html``
  const swatch = (index: number) => html`<i style="background:${COLOURS[index % COLOURS.length]!}"></i>`
  return html`<p class="legend">${names.map((name, index) => html`<span>${swatch(index)}${name}</span>`)}</p>`
}
