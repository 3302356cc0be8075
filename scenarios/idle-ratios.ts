import type { RunEvent } from '../runtime/index.js'

/**
 * Reports after each turn of the roles named how much of the time since the actor's turn before it was idle: waiting for
 * work, for weights, or for its receivers. `endedAt` keeps when each actor's last turn ended. Over the run, work and waiting add up to the time between first and last turn.
 */
export function createIdleRatios(
  metricOfRole: Readonly<Record<string, string>>,
  observe: (event: RunEvent) => void,
  endedAt: Map<string, number>,
): (event: RunEvent) => void {
  return (event) => {
    if (event.type !== 'span') return
    const { actor, start, end } = event
    const name = metricOfRole[actor.role]
    if (name === undefined) return
    const before = endedAt.get(actor.name)
    endedAt.set(actor.name, end)
    if (before === undefined || end <= before) return
    observe({ type: 'metric', actor, at: end, name, value: Math.max(0, start - before) / (end - before) })
  }
}
