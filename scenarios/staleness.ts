import { z } from 'zod'
import { TroupeError } from '../runtime/index.js'

/** Knobs of staleness, the same for every scenario. */
export const stalenessSchema = z
  .strictObject({
    max: z
      .union([z.int().min(0), z.literal('iteration')])
      .default('iteration')
      .describe('greatest lag of a sample in learner versions; 0 is synchronous; "iteration" as in the paper'),
    publishEvery: z
      .union([z.int().min(1), z.literal('iteration')])
      .optional()
      .describe('updates between published versions; default: as rarely as `max` allows'),
  })
  .prefault({})

/** As rarely as the bound allows, unless told; more rarely than the bound allows is refused. */
export function publishEveryOf({ max, publishEvery }: z.output<typeof stalenessSchema>): number | 'iteration' {
  if (max === 'iteration') return publishEvery ?? 'iteration'
  if (publishEvery === undefined) return max + 1
  if (publishEvery === 'iteration' || publishEvery > max + 1)
    throw new TroupeError('E_CONFIG', `staleness.publishEvery ${publishEvery} cannot keep staleness.max ${max}`, {
      hint: `Publish at least every ${max + 1} updates, or allow a greater lag`,
    })
  return publishEvery
}

/** `E_CONFIG` where a message would be larger than an update. */
export function checkBatch({
  batch,
  promptsPerUpdate,
}: {
  readonly batch: number
  readonly promptsPerUpdate: number
}): void {
  if (batch > promptsPerUpdate)
    throw new TroupeError('E_CONFIG', `batch is ${batch}, more than promptsPerUpdate (${promptsPerUpdate})`, {
      hint: 'Choose a batch that divides promptsPerUpdate',
    })
}
