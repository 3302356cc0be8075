import { z } from 'zod'
import type { BoundPreferenceLoss, PreferenceLoss } from './define.js'
import { type PreferenceLossName, preferenceLosses } from './registry/index.js'

const entries = Object.entries(preferenceLosses) as [PreferenceLossName, PreferenceLoss][]
const names = entries.map(([name]) => name) as [PreferenceLossName, ...PreferenceLossName[]]

/** Of each parameter name: whose it is, and with which default. Its bounds are each loss's own. */
function parameterShape(): Record<string, z.ZodOptional> {
  const shape: Record<string, z.ZodOptional> = {}
  for (const name of new Set(entries.flatMap(([, loss]) => Object.keys(loss.parameters.shape)))) {
    const owners = new Map<string, string[]>() // default → losses
    let kind: z.ZodType = z.number()
    for (const [owner, loss] of entries) {
      const schema = loss.parameters.shape[name] as z.ZodType | undefined
      if (!schema) continue
      const inner = schema instanceof z.ZodDefault ? (schema.unwrap() as z.ZodType) : schema
      if (!(inner instanceof z.ZodNumber)) kind = inner
      const preset = schema.safeParse(undefined)
      const value = preset.success ? String(preset.data) : 'needed'
      owners.set(value, [...(owners.get(value) ?? []), owner])
    }
    const list = [...owners].map(([value, losses]) => `${losses.join(', ')}: ${value}`)
    shape[name] = kind.optional().describe(`default by loss: ${list.join('; ')}`)
  }
  return shape
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
