import { z } from 'zod'

/** Defaults for some keys of a schema, as a tree. */
export type Defaults = { readonly [key: string]: unknown }

/**
 * A schema whose keys have other defaults, key by key, so that what is set beside one leaves it in place. A key that the schema
 * has not is a `TypeError`: it is a mistake of the scenario.
 */
export function withDefaults<S extends z.ZodObject>(schema: S, defaults: Defaults): S {
  const shape: Record<string, z.ZodType> = { ...schema.shape }
  for (const [key, value] of Object.entries(defaults)) {
    const child = shape[key]
    if (!child) throw new TypeError(`no key "${key}" to give a default`)
    shape[key] = laid(child, value)
  }
  return z.strictObject(shape) as unknown as S
}

function laid(schema: z.ZodType, value: unknown): z.ZodType {
  const inner = schema instanceof z.ZodPrefault ? (schema.unwrap() as z.ZodType) : schema
  if (inner instanceof z.ZodObject && isTree(value))
    return described(withDefaults(inner, value).prefault({}), schema.description)
  const bare = isOptional(schema) ? (schema.unwrap() as z.ZodType) : schema
  return described(bare.prefault(value as never), schema.description)
}

const isOptional = (schema: z.ZodType) => schema instanceof z.ZodDefault || schema instanceof z.ZodOptional

const described = (schema: z.ZodType, description: string | undefined) =>
  description === undefined ? schema : schema.describe(description)

const isTree = (value: unknown): value is Defaults =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
