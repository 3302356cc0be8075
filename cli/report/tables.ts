import type { Summary } from '../../scenarios/summary.js'
import { figure, percent } from '../live/text.js'
import type { EvaluationLine } from './evaluations.js'
import { type Html, html } from './html.js'

const DASH = '–'

const decimals = (value: number | null, digits = 2) => (value === null ? DASH : value.toFixed(digits))

/** How good each model writes: one row per model, and what the evaluations know besides the summary. */
export function iterationsTable({ iterations }: Summary, evaluations: readonly EvaluationLine[]): Html {
  const other = against(iterations)
  const self = iterations.some(({ name, goldWinRate }) => goldWinRate?.against === name)
  const heads = [
    `win rate against ${other}`,
    'wins / ties / losses',
    'against the one before',
    'gold score',
    'length',
    'KL',
    'pairs',
    'ties',
  ]
  const rows = iterations.map(({ name, goldWinRate: rate, goldScore, meanLength, kl, pairs, droppedTies }) => [
    name,
    rate ? `${interval(rate)}${rate.against === name ? ' *' : ''}` : DASH,
    rate ? `${rate.wins} / ${rate.ties} / ${rate.losses}` : DASH,
    optional(evaluations.find((line) => line.name === name)?.againstPrevious, interval),
    decimals(goldScore),
    decimals(meanLength, 1),
    decimals(kl),
    String(pairs),
    String(droppedTies),
  ])
  const note = self ? ` * ${other} against a second sampling of itself: what no difference looks like.` : ''
  const scored = iterations.some(({ goldScore }) => goldScore !== null)
    ? `Scored by the gold scorer, which no model was trained on. Brackets are 95 % intervals.${note}`
    : 'Nobody scored the answers: there was no gold scorer.'
  return html`${figureTable('writing', heads, rows)}
<p class="caption whole">${scored}</p>`
}

/** How well each model judges; nothing of models that do not. */
export function judgeTable({ iterations }: Summary, evaluations: readonly EvaluationLine[]): Html {
  if (iterations.every(({ judge }) => judge.pairAccuracy === null)) return html``
  const heads = ['pairs ordered rightly', 'exact order', 'fives are best', 'Spearman', 'Kendall', 'unreadable verdicts']
  const rows = iterations.map(({ name, judge }) => [
    name,
    decimals(judge.pairAccuracy),
    decimals(judge.exactMatch),
    decimals(judge.fiveBest),
    decimals(judge.spearman),
    decimals(judge.kendall),
    optional(
      evaluations.find((line) => line.name === name)?.judge.unreadable,
      (part) => `${(100 * part).toFixed(1)} %`,
    ),
  ])
  return figureTable('judging', heads, rows)
}

function figureTable(what: string, heads: readonly string[], rows: readonly (readonly string[])[]): Html {
  const head = heads.map((text) => html`<th class="number">${text}</th>`)
  const body = rows.map(
    ([name = '', ...cells]) =>
      html`<tr><td><b>${name}</b></td>${cells.map((cell) => html`<td class="number">${cell}</td>`)}</tr>`,
  )
  return html`<div class="scroll"><table><thead><tr><th>${what}</th>${head}</tr></thead><tbody>${body}</tbody></table></div>`
}

const interval = ({ mean, low, high }: { mean: number; low: number; high: number }) =>
  `${(100 * mean).toFixed(1)} % [${(100 * low).toFixed(1)}, ${(100 * high).toFixed(1)}]`

function optional<T>(value: T | undefined, told: (value: T) => string): string {
  return value === undefined ? DASH : told(value)
}

/** The model that the others are set against. */
export function against(iterations: Summary['iterations']): string {
  return iterations.find((row) => row.goldWinRate)?.goldWinRate?.against ?? 'the first model'
}

/** Samples, staleness and throughput in words and figures. */
export function accountTable({ samples, staleness, throughput }: Summary): Html {
  const dropped = Object.entries(samples.dropped).map(([reason, count]) => `${count} ${reason}`)
  const rows: readonly (readonly [string, string])[] = [
    ['samples issued', String(samples.issued)],
    ['consumed', String(samples.consumed)],
    ['dropped', dropped.length > 0 ? dropped.join(', ') : 'none'],
    ['in flight at the end', String(samples.inFlight)],
    ...Object.entries(staleness).map(
      ([kind, lag]) => [LAGS[kind] ?? kind, `mean ${figure(lag.mean)}, greatest ${figure(lag.max)}`] as const,
    ),
    ['tokens sampled per second', figure(throughput.sampledTokensPerSecond)],
    ['tokens trained on per second', figure(throughput.trainedTokensPerSecond)],
    ['answers judged per second', figure(throughput.judgedPerSecond)],
    [
      'busy',
      Object.entries(throughput.busy)
        .map(([role, fraction]) => `${role} ${percent(fraction)}`)
        .join(', '),
    ],
  ]
  return pairTable(rows.map(([key, value]) => [key, html`${value}`]))
}

const LAGS: Readonly<Record<string, string>> = {
  lag: 'lag (versions)',
  inFlight: 'of it in flight',
  inQueue: 'of it in queue',
  publish: 'learner ahead of the published version',
  judgeLag: 'judge lag',
}

/** Any nested configuration, one row per leaf. */
export function configTable(config: unknown): Html {
  return pairTable(leaves(config, '').map(([key, value]) => [key, html`<code>${value}</code>`]))
}

function pairTable(rows: readonly (readonly [string, Html])[]): Html {
  return html`<div class="scroll"><table><tbody>${rows.map(([key, value]) => html`<tr><td>${key}</td><td>${value}</td></tr>`)}</tbody></table></div>`
}

function leaves(value: unknown, path: string): [string, string][] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [[path, JSON.stringify(value) ?? '']]
  return Object.entries(value).flatMap(([key, child]) => leaves(child, path ? `${path}.${key}` : key))
}
