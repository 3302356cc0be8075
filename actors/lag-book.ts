import { type Lags, summarizeLags } from '../alignment/index.js'

const KINDS = ['lag', 'inFlight', 'inQueue', 'publish', 'judgeLag'] as const
export type LagKind = (typeof KINDS)[number]
export type LagSummaries = Record<LagKind, ReturnType<typeof summarizeLags>>

/** The lags of every consumed sample, as counts per value (versions are whole numbers, so nothing is lost). */
export function createLagBook() {
  const seen = new Map<LagKind, Map<number, number>>(KINDS.map((kind) => [kind, new Map()]))
  return {
    add(lags: Lags): void {
      for (const [kind, counts] of seen) counts.set(lags[kind], (counts.get(lags[kind]) ?? 0) + 1)
    },
    summary(): LagSummaries {
      const entries = KINDS.map((kind) => [kind, summarizeLags(seen.get(kind) ?? new Map())] as const)
      return Object.fromEntries(entries) as LagSummaries
    },
  }
}
