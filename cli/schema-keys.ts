import { z } from 'zod'

/** One key of a configuration schema, nested ones written with dots. */
export interface SchemaKey {
  readonly key: string
  /** A phrase: `a whole number of at least 0`, `one of "a", "b"`. */
  readonly expects: string
  readonly description: string | undefined
  /** Undefined where the key has none. */
  readonly default: unknown
}

type JsonSchema = z.core.JSONSchema.JSONSchema

/** Every leaf key of a schema in the order of declaration. */
export function schemaKeys(schema: z.ZodType): SchemaKey[] {
  return keysOf(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any', reused: 'inline' }), [], undefined)
}

function keysOf(schema: JsonSchema, path: readonly string[], inherited: unknown): SchemaKey[] {
  if (schema.properties && Object.keys(schema.properties).length > 0) {
    const defaults = { ...asRecord(inherited), ...asRecord(schema.default) }
    return Object.entries(schema.properties).flatMap(([name, child]) =>
      keysOf(child as JsonSchema, [...path, name], defaults[name]),
    )
  }
  const groups = choicesOf(schema).filter(({ properties }) => properties)
  return [
    {
      key: path.join('.'),
      expects: phrase(schema),
      description: schema.description,
      default: inherited ?? schema.default,
    },
    ...groups.flatMap((group) => keysOf(group, path, undefined)),
  ]
}

/** What a key may be, where that is one of several; a group among them can be given key by key. */
const choicesOf = (schema: JsonSchema): JsonSchema[] => (schema.anyOf ?? schema.oneOf ?? []) as JsonSchema[]

function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}

/** The schema as the end of a sentence that begins with "must be". */
function phrase(schema: JsonSchema): string {
  if (schema.const !== undefined) return JSON.stringify(schema.const)
  if (schema.enum) return `one of ${schema.enum.map((value) => JSON.stringify(value)).join(', ')}`
  const choices = choicesOf(schema)
  if (choices.length > 0) return choices.map(phrase).join(' or ')
  if (schema.properties) return 'a group of keys'
  if (schema.type === 'integer') return `a whole number${range(schema)}`
  if (schema.type === 'number') return `a number${range(schema)}`
  if (schema.type === 'boolean') return 'true or false'
  if (schema.type === 'string') return schema.pattern ? `text that matches ${schema.pattern}` : 'text'
  if (schema.type === 'array') return `a list whose elements are each ${phrase((schema.items ?? {}) as JsonSchema)}`
  if (schema.type === 'null') return 'null'
  return schema.type ? `an ${schema.type}` : 'a valid value'
}

function range(schema: JsonSchema): string {
  const bounds: string[] = []
  if (schema.minimum !== undefined && schema.minimum > Number.MIN_SAFE_INTEGER)
    bounds.push(`at least ${schema.minimum}`)
  if (schema.exclusiveMinimum !== undefined) bounds.push(`greater than ${schema.exclusiveMinimum}`)
  if (schema.maximum !== undefined && schema.maximum < Number.MAX_SAFE_INTEGER) bounds.push(`at most ${schema.maximum}`)
  if (schema.exclusiveMaximum !== undefined) bounds.push(`less than ${schema.exclusiveMaximum}`)
  return bounds.length > 0 ? ` (${bounds.join(', ')})` : ''
}
