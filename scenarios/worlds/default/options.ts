import { z } from 'zod'
import { TroupeError } from '../../../runtime/kernel/errors.js'

/** Options of the default world and of its gold scorer. Give both the same. */
const worldOptions = z.strictObject({
  slips: z
    .number()
    .min(0)
    .max(2)
    .default(1)
    .describe('scale of the slips that people make when they answer; 0: nobody errs'),
  annotatorNoise: z
    .number()
    .min(0)
    .max(0.5)
    .default(0.1)
    .describe('chance that a person who judges gets one of the five criteria wrong'),
  lengthBias: z
    .number()
    .min(-2)
    .max(2)
    .default(0)
    .describe(
      'points that people who judge add for each word beyond what was asked for (and take off for each missing)',
    ),
  junk: z
    .number()
    .min(0)
    .max(1)
    .default(0.08)
    .describe('fraction of judged answers that have nothing to do with the prompt'),
  heldOut: z.number().gt(0).lt(1).default(0.1).describe('fraction of all prompts that is never trained on'),
})
export type WorldOptions = z.output<typeof worldOptions>

/** `E_CONFIG` names the first wrong or unknown key. */
export const readOptions = (options: unknown): WorldOptions => readWith(worldOptions, options, 'world')

/** Options of the default world's `part`, checked; `E_CONFIG` names the first wrong or unknown key. */
export function readWith<S extends z.ZodObject>(schema: S, options: unknown, part: string): z.output<S> {
  const read = schema.safeParse(options ?? {})
  if (read.success) return read.data
  const issue = read.error.issues[0]
  const where = issue?.path.length ? `${part}.${issue.path.join('.')}` : part
  throw new TroupeError('E_CONFIG', `the default world: ${issue?.message ?? 'bad options'}`, {
    where,
    hint: `It knows: ${Object.keys(schema.shape).join(', ')}`,
    cause: read.error,
  })
}
