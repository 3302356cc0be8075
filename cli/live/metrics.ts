import type { MetricEntry } from '../../runtime/observe/book.js'
import type { LiveState } from './state.js'
import { figure } from './text.js'

const LAG_MEAN = /(^|\/)lag_mean$/i
/** Told together with the mean. */
const LAG_MAX = /(^|\/)lag_max$/i

/** Which metrics are shown first, by what their names end in; the rest follow in the order of their first value. */
const PRIORITY = [
  /(^|\/)gold_?win_?rate$/i,
  /(^|\/)win_?rate$/i,
  /(^|\/)(reward_?)?margins?$/i,
  /(^|\/)loss$/i,
  /judge\/.*score$/i,
  /(^|\/)(reward|gold_?score|score)$/i,
  LAG_MEAN,
  /(^|\/)version$/i,
  /accurac(y|ies)$/i,
  /(^|\/)kl$/i,
  /length$/i,
  /tokens_?per_?second$/i,
]

/**
 * `name value` of each metric, the most telling first. Lags carry their mean and greatest value over the run. With
 * `since` or `role`, only those reported since then or by that role.
 */
export function metricPhrases(state: LiveState, since = Number.NEGATIVE_INFINITY, role?: string): string[] {
  return [...state.metrics]
    .filter(([name, row]) => !LAG_MAX.test(name) && row.at >= since && (role === undefined || row.role === role))
    .map(([name, row], index) => ({ name, row, rank: rank(name) * 1000 + index }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ name, row }) => phrase(name, row, state))
}

function rank(name: string): number {
  const index = PRIORITY.findIndex((pattern) => pattern.test(name))
  return index < 0 ? PRIORITY.length : index
}

/** The last part of the name where that is enough to tell it from the others. */
function label(name: string, state: LiveState): string {
  const last = lastPart(name)
  const twins = [...state.metrics.keys()].filter((other) => lastPart(other) === last).length
  return (twins > 1 ? name : last).replaceAll('_', ' ')
}

function lastPart(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1)
}

function phrase(name: string, row: MetricEntry, state: LiveState): string {
  if (!LAG_MEAN.test(name)) return `${label(name, state)} ${figure(row.latest)}`
  const max = state.metrics.get(name.replace(LAG_MEAN, '$1lag_max'))?.max ?? row.max
  return `lag ${figure(row.latest)} (mean ${figure(row.mean)}, max ${figure(max)})`
}
