let isOurs: () => boolean = () => false

/** Whose unhandled errors are told at once. */
export function tellAtOnce(ours: () => boolean): void {
  isOurs = ours
}

/** The timers by which RxJS tells of an error that nobody handles: not some time later where it is one of ours. */
export const unhandledTimers = {
  setTimeout: (handler: (...args: unknown[]) => void, timeout?: number, ...args: unknown[]) => {
    if (!isOurs()) return setTimeout(handler, timeout, ...args)
    handler(...args)
    return 0 as never
  },
  clearTimeout: (handle: Parameters<typeof clearTimeout>[0]) => clearTimeout(handle),
}
