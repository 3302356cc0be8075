import { createTroupe, type Troupe } from '../runtime/index.js'
import type { WeightStoreHandle } from '../runtime/tensor/index.js'
import type { Books } from './books.js'
import type { RuntimeConfig } from './runtime-config.js'
import type { RunOptions } from './scenario.js'

/** The troupe of a run, on the stage that was asked for, and how long it has run. */
export function openTroupe(
  options: RunOptions<RuntimeConfig>,
  { weights, books }: { readonly weights: WeightStoreHandle; readonly books: Books },
): { readonly troupe: Troupe; readonly elapsedMs: () => number } {
  const { stage, seed, signal, config, faults, resume, journal: keeper } = options
  const { place, costs, links } = config
  const isVirtual = stage === 'virtual'
  const everyMs = isVirtual ? config.journal.everyVirtualMs : config.journal.everyMs
  // In virtual time a snapshot is a part of the run, also where nobody keeps it: so a run can be replayed.
  const isJournaled = everyMs > 0 && (isVirtual || keeper !== undefined)
  const troupe = createTroupe({
    ...{ stage, seed, signal, place, weights },
    virtual: { costs, links, faults },
    observe: books.observe,
    resume: resume?.troupe,
    journal: isJournaled
      ? { everyMs, save: (state) => keeper?.save({ troupe: state, books: books.snapshot(), elapsedMs: elapsedMs() }) }
      : undefined,
  })
  const startedAt = troupe.clock.now() - (resume?.elapsedMs ?? 0)
  const elapsedMs = () => troupe.clock.now() - startedAt
  return { troupe, elapsedMs }
}
