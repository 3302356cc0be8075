import { z } from 'zod'
import type { BoundPreferenceLoss, PreferenceLoss } from './define.js'
import { type PreferenceLossName, preferenceLosses } from './registry.js'

const entries = Object.entries(preferenceLosses) as [PreferenceLossName, PreferenceLoss][]
const names = entries.map(([name]) => name) as [PreferenceLossName, ...PreferenceLossName[]]

/** Of each parameter name: what it may be, over all losses that have it, and whose it is with which default. */
function parameterShape(): Record<string, z.ZodOptional> {
  const shape: Record<string, z.ZodOptional> = {}
  for (const name of new Set(entries.flatMap(([, loss]) => Object.keys(loss.parameters.shape)))) {
    const owners = entries.flatMap(([owner, loss]) => {
      const schema = loss.parameters.shape[name] as z.ZodType | undefined
      return schema ? [{ owner, schema, preset: schema.safeParse(undefined) }] : []
    })
    const kinds = new Map(owners.map(({ schema }) => [schema instanceof z.ZodDefault ? schema.unwrap() : schema, true]))
    const [kind] = [...kinds.keys()] as z.ZodType[]
    const list = owners.map(({ owner, preset }) => (preset.success ? `${owner} ${preset.data}` : `${owner} (needed)`))
    shape[name] = widened(kind!)
      .optional()
      .describe(`default by loss: ${list.join(', ')}`)
  }
  return shape
}

/** The bounds of a parameter are its loss's own; here only its kind is asked for. */
function widened(schema: z.ZodType): z.ZodType {
  if (schema instanceof z.ZodNumber) return z.number()
  return schema
}

/**
 * The `loss` option of a scenario: `{ name, …parameters }`, every loss's parameters side by side, so that a key of it can be
 * set by itself. {@link preferenceLoss} then holds it to the parameters of the loss that is named.
 */
export const preferenceLossOption = z
  .strictObject({
    name: z.enum(names).default('dpo').describe('a loss of the pairwise family'),
    ...parameterShape(),
  })
  .prefault({})

export interface PreferenceLossChoice {
  readonly name?: PreferenceLossName
  readonly [parameter: string]: unknown
}

/**
 * The loss that an option names, with its defaults filled in. `E_CONFIG` where a parameter is missing, out of its bounds,
 * or another loss's.
 *
 * @example preferenceLoss({ name: 'ipo', tau: 0.5 }).perPair(pair) // [P]
 */
export function preferenceLoss({ name = 'dpo', ...given }: PreferenceLossChoice = {}): BoundPreferenceLoss {
  const set = Object.entries(given).filter(([, value]) => value !== undefined)
  return preferenceLosses[name].bind(name, Object.fromEntries(set))
}
