import { timeoutProvider } from 'rxjs/internal/scheduler/timeoutProvider'
import { tellAtOnce, unhandledTimers } from './unhandled-timers.js'

/**
 * RxJS tells of an error that nobody handles some time later, by a timer. Where `atOnce` holds it is told now: an actor that has
 * thrown must not put away, in the meantime, that it has done what it threw at.
 */
export function tellUnhandled(atOnce: () => boolean): void {
  tellAtOnce(atOnce)
  timeoutProvider.delegate = unhandledTimers
}
