/**
 * Orders the runtime's own steps. Work that was handed over runs once everything that is already under way has settled,
 * pending promise reactions included, in the order in which it was handed over: a turn never overtakes the
 * consequences of the one before.
 */
export interface Scheduler {
  hop(work: () => void): void
}

/** Hops by the machine's event loop: what the machine has delivered may come before. */
export const realScheduler: Scheduler = { hop: (work) => void setImmediate(work) }
