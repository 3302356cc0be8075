import { timeoutProvider } from 'rxjs/internal/scheduler/timeoutProvider'

/**
 * RxJS tells of an error that nobody handles some time later, by a timer. Where `atOnce` holds it is told now: an actor that has
 * thrown must not put away, in the meantime, that it has done what it threw at.
 */
export function tellUnhandled(atOnce: () => boolean): void {
  timeoutProvider.delegate = {
    setTimeout: (handler, timeout, ...args) => {
      if (!atOnce()) return setTimeout(handler, timeout, ...args)
      handler()
      return 0 as never
    },
    clearTimeout: (handle) => clearTimeout(handle),
  }
}
