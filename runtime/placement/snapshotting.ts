import { TroupeError } from '../kernel/errors.js'
import { isLate } from '../kernel/failures.js'
import { type Clock, realClock } from '../time/clock.js'
import type { CellPlace } from './place.js'

/** Longest time in which an actor's `snapshot()` settles: while it is waited for, nothing is let in and nothing leaves. */
const SNAPSHOT_DEADLINE_MS = 60_000

/** What an actor's `snapshot()` gives; `E_DEADLINE` where that does not come. In virtual time it is real work, as a turn is. */
export function snapshotInTime(
  role: Promise<unknown>,
  where: string,
  place: Pick<CellPlace<never>, 'clock' | 'perform'>,
): Promise<unknown> {
  const clock: Clock = place.perform ? realClock : place.clock
  return clock.deadline(role, SNAPSHOT_DEADLINE_MS, `the snapshot of ${where}`).catch((error: unknown) => {
    if (!isLate(error)) throw error
    throw new TroupeError('E_DEADLINE', error.message, {
      where,
      hint: 'What `snapshot()` returns must settle by itself: it must not wait for a turn, a message or a version',
    })
  })
}
