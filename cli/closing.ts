import type { RunBook } from '../runtime/observe/book.js'
import type { Summary } from '../scenarios/summary.js'
import { duration, figure, percent } from './live/text.js'
import { trouble } from './live/trouble.js'
import { renderTable } from './table.js'

const DECIMALS = 2

/** What is printed when a run is done: the iterations' table, samples, staleness, throughput, trouble and where it all is. `tookMs` is the machine's time. */
export function closingWords(summary: Summary, book: RunBook, tookMs: number, folder: string, report: string): string {
  const { samples, staleness, throughput } = summary
  const dropped = Object.values(samples.dropped).reduce((sum, count) => sum + count, 0)
  const reasons = Object.entries(samples.dropped).map(([reason, count]) => `${reason} ${count}`)
  const busy = Object.entries(throughput.busy).map(([role, fraction]) => `${role} ${percent(fraction)}`)
  return [
    iterationTable(summary),
    '',
    `samples      ${samples.issued} issued = ${samples.consumed} consumed + ${dropped} dropped` +
      `${reasons.length > 0 ? ` (${reasons.join(', ')})` : ''} + ${samples.inFlight} in flight`,
    `staleness    lag mean ${figure(staleness.lag.mean)}, max ${figure(staleness.lag.max)} ` +
      `(in flight ${figure(staleness.inFlight.mean)}, in queue ${figure(staleness.inQueue.mean)}, ` +
      `publish ${figure(staleness.publish.mean)}); judge lag mean ${figure(staleness.judgeLag.mean)}`,
    `throughput   ${Math.round(throughput.sampledTokensPerSecond)} tokens/s sampled, ` +
      `${Math.round(throughput.trainedTokensPerSecond)} trained, ${figure(throughput.judgedPerSecond)} judged/s`,
    ...(busy.length > 0 ? [`busy         ${busy.join(', ')}`] : []),
    ...troubles(book).map((text, index) => (index === 0 ? 'trouble' : '').padEnd(13) + text),
    ...(summary.traceHash === undefined
      ? [`time         ${duration(summary.durationMs)}`]
      : [
          `time         ${duration(summary.durationMs)} of virtual time, computed in ${duration(tookMs)}`,
          `trace        ${summary.traceHash}`,
        ]),
    `run folder   ${folder}`,
    `report       ${report}`,
  ].join('\n')
}

/** What went wrong with each actor, though the run is done. */
function troubles({ actors }: RunBook): string[] {
  return [...actors.values()].flatMap((entry) => {
    const told = trouble(entry)
    return told ? [`${entry.actor.name}: ${told}`] : []
  })
}

/** One row per model; a figure that is undefined there is a dash. */
function iterationTable(summary: Summary): string {
  return renderTable(
    [
      { head: 'model', align: 'left' },
      { head: 'gold win rate', align: 'left' },
      { head: 'score' },
      { head: 'judge' },
      { head: 'length' },
      { head: 'KL' },
      { head: 'pairs' },
      { head: 'ties' },
    ],
    summary.iterations.map((row) => [
      row.name,
      winRate(row),
      row.goldScore === null ? '-' : row.goldScore.toFixed(DECIMALS),
      row.judge.pairAccuracy === null ? '-' : percent(row.judge.pairAccuracy),
      row.meanLength.toFixed(1),
      row.kl.toFixed(DECIMALS),
      String(row.pairs),
      String(row.droppedTies),
    ]),
  )
}

function winRate({ name, goldWinRate: rate }: Summary['iterations'][number]): string {
  if (!rate) return '-'
  const tenth = (fraction: number) => (fraction * 100).toFixed(1)
  const against = rate.against === name ? `${name} sampled again` : rate.against
  return `${tenth(rate.mean)} % [${tenth(rate.low)}, ${tenth(rate.high)}] vs ${against}`
}
