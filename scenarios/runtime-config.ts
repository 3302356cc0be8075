import { resolve } from 'node:path'
import { z } from 'zod'
import { type CostsConfig, costsSchema, linksSchema } from '../runtime/time/cost-config.js'

/**
 * Costs laid over a scenario's own, which are shown as the default. What is said of an actor without naming a turn, or of `*`, is
 * said of all its turns: the scenario's costs of single turns give way to it. Paths of recordings become absolute, so that the run
 * can be run again from anywhere.
 */
function costsOver(own: CostsConfig) {
  const lay = (given: unknown) => {
    if (typeof given !== 'object' || given === null || Array.isArray(given)) return given
    const kept = Object.entries(own).filter(([key]) => !('*' in given) && !(key.split(':')[0]! in given))
    return { ...Object.fromEntries(kept), ...given }
  }
  return z
    .preprocess(lay, costsSchema)
    .transform((costs) =>
      Object.fromEntries(
        Object.entries(costs).map(([key, cost]) => [
          key,
          cost.distribution === 'recorded' ? { ...cost, recorded: resolve(cost.recorded) } : cost,
        ]),
      ),
    )
    .prefault(own)
    .describe('stage virtual: how long turns take, by actor, role or *, each with or without :turn; laid over these')
}

/** Keys that every scenario has: where its roles live, what is done when one fails, and how virtual time goes. */
export const runtimeKeys = (costs: CostsConfig) => ({
  place: z
    .record(z.string(), z.enum(['thread', 'process', 'inline']))
    .default({})
    .describe('where a role lives on stage threads: place.<role>=thread, process or inline'),
  supervise: z
    .strictObject({
      maxRestarts: z
        .int()
        .min(0)
        .default(3)
        .describe('restarts of an actor within withinMs; 0: its first failure ends the run'),
      withinMs: z.number().positive().default(600_000),
    })
    .prefault({})
    .describe('an actor that fails goes on from what it has put away'),
  journal: z
    .strictObject({
      everyMs: z
        .number()
        .min(0)
        .default(10_000)
        .describe('time between two snapshots of the run; 0: none, it cannot be resumed'),
      everyVirtualMs: z
        .number()
        .min(0)
        .default(60_000)
        .describe('the same of stage virtual, in virtual time: all actors finish their turns there and go on anew'),
    })
    .prefault({}),
  costs: costsOver(costs),
  links: linksSchema.prefault({}).describe('stage virtual: how long messages take, by "from->to"'),
})

type Keys = ReturnType<typeof runtimeKeys>

export interface RuntimeConfig {
  readonly place: z.output<Keys['place']>
  readonly supervise: z.output<Keys['supervise']>
  readonly journal: z.output<Keys['journal']>
  readonly costs: z.output<Keys['costs']>
  readonly links: z.output<Keys['links']>
}

/** Whether a run with this configuration keeps a journal, and so can be resumed; a scenario may have no such keys. */
export function isJournaled(config: { readonly journal?: unknown }, stage: string): boolean {
  const { everyMs = 0, everyVirtualMs = 0 } = (config.journal ?? {}) as Partial<RuntimeConfig['journal']>
  return (stage === 'virtual' ? everyVirtualMs : everyMs) > 0
}
