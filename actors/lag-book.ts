import { type Lags, summarizeLags } from '../alignment/index.js'

export const LAG_KINDS = ['lag', 'inFlight', 'inQueue', 'publish', 'judgeLag'] as const
export type LagKind = (typeof LAG_KINDS)[number]
export type LagSummaries = Record<LagKind, ReturnType<typeof summarizeLags>>

/** Lag → how many samples had it, of each kind. */
export type LagBookState = Readonly<Record<LagKind, ReadonlyMap<number, number>>>

/** The lags of every consumed sample, as counts per value (versions are whole numbers, so nothing is lost). */
export function createLagBook() {
  const seen = eachKind(() => new Map<number, number>())
  return {
    add(lags: Lags): void {
      for (const kind of LAG_KINDS) seen[kind].set(lags[kind], (seen[kind].get(lags[kind]) ?? 0) + 1)
    },
    summary: (): LagSummaries => eachKind((kind) => summarizeLags(seen[kind])),
    snapshot: (): LagBookState => eachKind((kind) => new Map(seen[kind])),
    restore(state: LagBookState): void {
      for (const kind of LAG_KINDS) seen[kind] = new Map(state[kind])
    },
  }
}

function eachKind<T>(of: (kind: LagKind) => T): Record<LagKind, T> {
  return Object.fromEntries(LAG_KINDS.map((kind) => [kind, of(kind)])) as Record<LagKind, T>
}
