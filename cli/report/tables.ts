import type { Summary } from '../../scenarios/summary.js'
import { figure, percent } from '../live/text.js'
import { type Html, html } from './html.js'

const DASH = '–'

/** One row per model with every figure of the summary. */
export function iterationsTable({ iterations }: Summary): Html {
  const number = (value: number | null, digits = 2) =>
    html`<td class="number">${value === null ? DASH : value.toFixed(digits)}</td>`
  const rows = iterations.map(
    ({
      name,
      goldWinRate: rate,
      goldScore,
      judge,
      meanLength,
      kl,
      pairs,
      droppedTies,
    }) => html`<tr><td><b>${name}</b></td>
<td class="number">${rate ? `${(100 * rate.mean).toFixed(1)} % [${(100 * rate.low).toFixed(1)}, ${(100 * rate.high).toFixed(1)}]` : DASH}</td>
<td>${rate ? `${rate.wins} / ${rate.ties} / ${rate.losses} vs ${rate.against}` : DASH}</td>
${number(goldScore)}${number(judge.pairAccuracy)}${number(judge.exactMatch)}${number(judge.fiveBest)}${number(judge.spearman)}${number(judge.kendall)}
${number(meanLength, 1)}${number(kl)}<td class="number">${pairs}</td><td class="number">${droppedTies}</td></tr>`,
  )
  const heads = ['pair acc.', 'exact', 'five best', 'Spearman', 'Kendall', 'length', 'KL', 'pairs', 'ties']
  return html`<div class="scroll"><table><thead><tr><th>model</th><th class="number">gold win rate</th><th>wins / ties / losses</th>
<th class="number">gold score</th>${heads.map((head) => html`<th class="number">${head}</th>`)}</tr></thead><tbody>${rows}</tbody></table></div>`
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
