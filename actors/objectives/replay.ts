import type { Random } from '../../runtime/time/random.js'

export interface ReplayState<T> {
  readonly iteration: number
  readonly rounds: ReadonlyMap<number, readonly T[]>
}

/** What earlier iterations selected, to be trained on again. Bounded by the iterations that are looked back on. */
export function createReplay<T>(
  { rounds, rows }: { readonly rounds: number | 'all'; readonly rows: number },
  random: Random,
) {
  const kept = new Map<number, T[]>()
  const isOn = rows > 0 && rounds !== 0
  let iteration = 0

  return {
    begin(next: number): void {
      iteration = next
      if (rounds !== 'all') for (const round of kept.keys()) if (round < iteration - rounds) kept.delete(round)
    },
    /** Remembers what this iteration selected. */
    add(items: readonly T[]): void {
      if (!isOn) return
      kept.set(iteration, [...(kept.get(iteration) ?? []), ...items])
    },
    /** Some of the iterations before, for a pass of the update of a version. */
    draw(version: number, pass = 0): T[] {
      const pool = [...kept].filter(([round]) => round < iteration).flatMap(([, items]) => items)
      if (!isOn || pool.length === 0) return []
      const chance = random.stream('replay', version, ...(pass ? [pass] : []))
      return Array.from({ length: rows }, () => chance.pick(pool))
    },
    snapshot: (): ReplayState<T> => ({ iteration, rounds: new Map([...kept].map(([k, items]) => [k, [...items]])) }),
    restore(state: ReplayState<T>): void {
      iteration = state.iteration
      kept.clear()
      for (const [round, items] of state.rounds) kept.set(round, [...items])
    },
  }
}
