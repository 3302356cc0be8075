import { Observable } from 'rxjs'
import { TroupeError } from '../runtime/kernel/errors.js'

/**
 * Emits items by ascending id, without gaps, whatever order they come in (replicas finish in any order). What waits is
 * bounded by what the channels let be in flight. An id seen twice, or a gap at the end, is an `E_INVARIANT`.
 */
export function inOrder<T>(idOf: (item: T) => number) {
  return (items: Observable<T>): Observable<T> =>
    new Observable<T>((subscriber) => {
      const waiting = new Map<number, T>()
      let next = 0
      return items.subscribe({
        next(item) {
          const id = idOf(item)
          if (id < next || waiting.has(id)) return subscriber.error(broken(`batch ${id} came twice`))
          waiting.set(id, item)
          for (let ready = waiting.get(next); ready !== undefined; ready = waiting.get(next)) {
            waiting.delete(next++)
            subscriber.next(ready)
          }
        },
        error: (error) => subscriber.error(error),
        complete: () =>
          waiting.size === 0 ? subscriber.complete() : subscriber.error(broken(`batch ${next} never came`)),
      })
    })
}

const broken = (law: string) => new TroupeError('E_INVARIANT', `invariant broken: ${law}`)
