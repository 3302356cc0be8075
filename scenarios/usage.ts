import type { RunEvent } from '../runtime/observe/events.js'

interface UsageState {
  readonly busyMs: ReadonlyMap<string, number>
  readonly rolesOf: ReadonlyMap<string, string>
}

/** How long each actor was in turns, from the spans of a run. */
export function createUsage(resume?: UsageState) {
  const busyMs = new Map(resume?.busyMs)
  const rolesOf = new Map(resume?.rolesOf)
  return {
    snapshot: (): UsageState => ({ busyMs, rolesOf }),
    observe(event: RunEvent): void {
      if (event.type !== 'span') return
      rolesOf.set(event.actor.name, event.actor.role)
      busyMs.set(event.actor.name, (busyMs.get(event.actor.name) ?? 0) + event.end - event.start)
    },
    /** Milliseconds in turns, summed over the replicas of a role. */
    busyMs: (role: string): number =>
      [...busyMs].reduce((sum, [actor, ms]) => (rolesOf.get(actor) === role ? sum + ms : sum), 0),
    /** Fraction of `durationMs` in turns, averaged over the replicas of each role. */
    fractions(durationMs: number): Record<string, number> {
      const roles = new Map<string, number[]>()
      for (const [actor, ms] of busyMs) {
        const role = rolesOf.get(actor) ?? actor
        roles.set(role, [...(roles.get(role) ?? []), ms / durationMs])
      }
      return Object.fromEntries(
        [...roles].map(([role, parts]) => [role, parts.reduce((a, b) => a + b, 0) / parts.length]),
      )
    },
  }
}
