import type { TraceEvent } from './trace.js'

export interface Overlap {
  /** Greatest number of roles in a turn at the same moment. */
  readonly most: number
  /** The roles of the first such moment. */
  readonly roles: readonly string[]
  /** From the first turn's start to the last turn's end, in milliseconds. */
  readonly spanMs: number
  /** Fraction of that time with at least this many roles in a turn. */
  readonly atLeast: { readonly one: number; readonly two: number; readonly three: number }
}

/** How concurrent a run really was, by its trace. Replicas of a role count once; turns of no length count for nothing. */
export function overlap(trace: readonly TraceEvent[]): Overlap {
  const turns = trace.filter((event) => event.ph === 'X' && (event.dur ?? 0) > 0)
  const edges = turns.flatMap((turn) => {
    const role = turn.cat ?? String(turn.tid)
    return [
      { at: turn.ts, role, change: 1 },
      { at: turn.ts + (turn.dur ?? 0), role, change: -1 },
    ]
  })
  // At one moment ends come before starts: turns that only touch do not overlap.
  edges.sort((a, b) => a.at - b.at || a.change - b.change)
  const busy = new Map<string, number>()
  const timeWith = [0, 0, 0, 0]
  let most: readonly string[] = []
  let previous = edges[0]?.at ?? 0
  for (const edge of edges) {
    const level = Math.min(busy.size, 3)
    timeWith[level] = (timeWith[level] ?? 0) + edge.at - previous
    previous = edge.at
    const count = (busy.get(edge.role) ?? 0) + edge.change
    if (count > 0) busy.set(edge.role, count)
    else busy.delete(edge.role)
    if (busy.size > most.length) most = [...busy.keys()]
  }
  const total = previous - (edges[0]?.at ?? 0)
  const share = (from: number) => (total > 0 ? timeWith.slice(from).reduce((sum, time) => sum + time, 0) / total : 0)
  return {
    most: most.length,
    roles: most,
    spanMs: total / 1000,
    atLeast: { one: share(1), two: share(2), three: share(3) },
  }
}
