import { AsyncLocalStorage } from 'node:async_hooks'
import { config } from 'rxjs'
import { tellUnhandled } from '../time/unhandled.js'

/** Something that answers for errors which nobody caught. */
export interface StrayHandler {
  stray(error: unknown): void
}

const current = new AsyncLocalStorage<StrayHandler>()
let installed = false

/**
 * Runs an actor's code so that an error in a stream without an error handler is laid at that actor's door. Where one
 * thread holds several actors, this is the only way to know whose it was.
 */
export function answeredBy<T>(handler: StrayHandler, work: () => T): T {
  return current.run(handler, work)
}

/** Gives RxJS's unhandled errors to the actor whose code raised them; errors of others stay what they were. */
export function installStrayErrors(only?: StrayHandler): void {
  if (installed) return
  installed = true
  tellUnhandled(() => (only ?? current.getStore()) !== undefined)
  const before = config.onUnhandledError
  config.onUnhandledError = (error: unknown) => {
    const handler = only ?? current.getStore()
    if (handler) return handler.stray(error)
    if (before) return before(error)
    throw error
  }
}
