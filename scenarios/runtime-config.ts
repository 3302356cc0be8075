import { z } from 'zod'
import { costsSchema, linksSchema } from '../runtime/time/cost-config.js'

/** Keys that every scenario has: where its roles live, what is done when one fails, and how virtual time goes. */
export const runtimeKeys = {
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
    })
    .prefault({}),
  costs: costsSchema.default({}).describe('stage virtual: how long turns take, by actor or role'),
  links: linksSchema.default({}).describe('stage virtual: how long messages take, by "from->to"'),
}

export interface RuntimeConfig {
  readonly place: z.output<typeof runtimeKeys.place>
  readonly supervise: z.output<typeof runtimeKeys.supervise>
  readonly journal: z.output<typeof runtimeKeys.journal>
  readonly costs: z.output<typeof runtimeKeys.costs>
  readonly links: z.output<typeof runtimeKeys.links>
}
