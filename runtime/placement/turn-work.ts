import { AsyncLocalStorage } from 'node:async_hooks'
import type { Work } from '../kernel/busy-period.js'
import { TroupeError } from '../kernel/errors.js'
import type { WeightStore } from '../tensor/weights.js'
import type { Clock } from '../time/clock.js'

const working = new AsyncLocalStorage<{ done: boolean }>()

/**
 * Runs the work of a turn in virtual time. Time stands still meanwhile, so work that waits for time to pass would wait for ever:
 * {@link withoutWaits} and {@link withoutWeightWaits} refuse that.
 */
export function asTurnWork<A, R>(work: Work<A, R>, item: A): R | Promise<R> {
  const turn = { done: false }
  const result = working.run(turn, work, item)
  if (result instanceof Promise)
    return result.finally(() => {
      turn.done = true
    })
  turn.done = true
  return result
}

function refuse(what: string, where: string): void {
  const turn = working.getStore()
  if (!turn || turn.done) return
  throw new TroupeError('E_UNSUPPORTED', `${what} in the work of a turn: in virtual time that would wait for ever`, {
    where,
    hint: 'Time stands still while a turn works, and its cost says how long it takes: wait between turns, or in `ready`',
  })
}

/** The clock as an actor has it: `sleep` in a turn is `E_UNSUPPORTED`. */
export function withoutWaits(clock: Clock, actor: string): Clock {
  return {
    ...clock,
    async sleep(ms, signal) {
      refuse(`${actor} sleeps`, actor)
      return clock.sleep(ms, signal)
    },
  }
}

/** The weights as an actor has them: waiting in a turn for a version that is not there is `E_UNSUPPORTED`. */
export function withoutWeightWaits(store: WeightStore, actor: string): WeightStore {
  return {
    ...store,
    async atLeast(version, options) {
      if (store.version() < version) refuse(`${actor} waits for version ${version} of the weights`, actor)
      return store.atLeast(version, options)
    },
  }
}
