/**
 * Runs `work` after everything that is already under way: pending promise reactions first, then what the machine has
 * delivered. The runtime starts turns this way, so that a turn never overtakes the consequences of the one before.
 */
export function hop(work: () => void): void {
  setImmediate(work)
}

const FOREVER_MS = 2 ** 30

/** Keeps the process alive until the returned function is called. */
export function keepAlive(): () => void {
  const timer = setInterval(() => {}, FOREVER_MS)
  return () => clearInterval(timer)
}
