/**
 * Runs work after everything that is already under way: pending promise reactions first, then what the machine has
 * delivered. The runtime starts turns this way, so that a turn never overtakes the consequences of the one before.
 */
export interface Scheduler {
  hop(work: () => void): void
}

/** The machine's own event loop. */
export const realScheduler: Scheduler = { hop: (work) => void setImmediate(work) }
