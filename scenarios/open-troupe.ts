import { createTroupe, type RunEvent, type Troupe } from '../runtime/index.js'
import type { WeightStoreHandle } from '../runtime/tensor/index.js'
import type { RuntimeConfig } from './runtime-config.js'
import type { RunOptions } from './scenario.js'

/** The troupe of a run, on the stage that was asked for. */
export function openTroupe(
  options: RunOptions<RuntimeConfig>,
  parts: { readonly weights: WeightStoreHandle; readonly observe: (event: RunEvent) => void },
): Troupe {
  const { stage, seed, signal, config } = options
  const { place, costs, links } = config
  return createTroupe({ stage, seed, signal, place, virtual: { costs, links }, ...parts })
}
