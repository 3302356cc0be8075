import type { RunBook } from '../runtime/observe/book.js'
import type { Summary } from './summary.js'

/** Every actor that failed in the course of a run, also where the run went on. */
export function failuresOf(book: RunBook): Summary['failures'] {
  return [...book.actors.values()]
    .filter(({ failures, setAside }) => failures > 0 || setAside > 0)
    .map(({ actor, failures, restarts, setAside, code }) => ({
      actor: actor.name,
      failed: failures,
      restarts,
      setAside,
      code: code ?? 'none',
    }))
}
