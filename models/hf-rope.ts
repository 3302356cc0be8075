import type { RopeScaling } from './config.js'
import type { Fields } from './hf-fields.js'

const TYPES = ['default', 'linear', 'llama3']

/** Rotary settings of a `config.json`, where transformers 4 (`rope_theta`, `rope_scaling`) or 5 (`rope_parameters`) puts them. */
export function readRope(fields: Fields): { theta: number; scaling?: RopeScaling; share?: number } {
  const { raw, fail } = fields
  const parameters = raw.rope_scaling ?? raw.rope_parameters ?? {}
  if (typeof parameters !== 'object' || Array.isArray(parameters))
    return fail(`rope_parameters must be an object, not ${JSON.stringify(parameters)}`)
  const given = parameters as Record<string, unknown>
  const nested = Object.keys(given).find((key) => typeof given[key] === 'object' && given[key] !== null)
  if (nested !== undefined) return fail(`rope_parameters.${nested} cannot be read: one setting for all layers can`)
  const type = given.rope_type ?? given.type ?? 'default'
  if (!TYPES.includes(type as string))
    return fail(`rotary positions of type ${JSON.stringify(type)} cannot be read, only ${TYPES.join(', ')}`)
  const number = (key: string, fallback?: unknown): number => {
    const value = given[key] ?? fallback
    return typeof value === 'number'
      ? value
      : fail(`rotary setting ${key} must be a number, not ${JSON.stringify(value)}`)
  }
  const share = given.partial_rotary_factor ?? raw.partial_rotary_factor ?? raw.rotary_pct
  return {
    theta: number('rope_theta', raw.rope_theta ?? raw.rotary_emb_base ?? 10_000),
    ...(share === undefined || share === null ? {} : { share: number('partial_rotary_factor', share) }),
    ...(type === 'linear' ? { scaling: { type, factor: number('factor') } } : {}),
    ...(type === 'llama3'
      ? {
          scaling: {
            type,
            factor: number('factor'),
            lowFreqFactor: number('low_freq_factor'),
            highFreqFactor: number('high_freq_factor'),
            originalMaxPositionEmbeddings: number('original_max_position_embeddings', raw.max_position_embeddings),
          },
        }
      : {}),
  }
}
