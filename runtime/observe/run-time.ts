import { realClock } from '../time/clock.js'
import type { RunEvent } from './events.js'

/** What decides whose time the events of a run are of. */
export interface Staged {
  readonly stage: string
  /** Milliseconds since the Unix epoch. */
  readonly startedAt: number
}

export const isVirtual = ({ stage }: Pick<Staged, 'stage'>): boolean => stage === 'virtual'

/** The time of a run's first events: virtual time begins at 0. */
export const beginningOf = (run: Staged): number => (isVirtual(run) ? 0 : run.startedAt)

/** When an event was; a turn is reported when it ends. */
export const timeOf = (event: RunEvent): number => (event.type === 'span' ? event.end : event.at)

/** The machine's time when an event is heard of, for which virtual time says nothing. */
export function heardAt(run: Staged): (event: RunEvent) => number {
  return isVirtual(run) ? () => realClock.now() : timeOf
}
