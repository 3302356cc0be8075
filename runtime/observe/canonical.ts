/** Nesting beyond this is spelled `"[deep]"`: a report is no place for it, and a line must end. */
const MAX_DEPTH = 100
/** Shapes of objects whose sorted keys are remembered, and how many of them may begin with the same key. */
const MAX_SHAPES = 512
const MAX_ALIKE = 16
/** Strings that are their own spelling: most names. */
const PLAIN = /^[ !#-[\]-~]*$/

/** The keys of objects that were made alike, so that a million events are not sorted a million times. */
interface Shape {
  readonly keys: readonly string[]
  readonly sorted: readonly string[]
  /** `"key":`, in sorted order. */
  readonly labels: readonly string[]
}

const shapes = new Map<string, Shape[]>()
let shapeCount = 0

/**
 * One spelling for one value: JSON with sorted keys, without what is undefined. Numbers are exact, `-0` included. What
 * JSON has no word for is named: `{"$number":"NaN"}`, `{"$bigint":"12"}`, `{"$Float32Array":[…]}`, `{"$Map":[…]}`.
 */
export function canonicalJson(value: unknown): string {
  return spell(value, 0)
}

function spell(value: unknown, depth: number): string {
  if (typeof value === 'string') return spellString(value)
  if (typeof value === 'number') return spellNumber(value)
  if (typeof value === 'boolean') return value ? 'true' : 'false'
  if (typeof value === 'bigint') return `{"$bigint":"${value}"}`
  if (typeof value !== 'object' || value === null) return 'null'
  if (depth > MAX_DEPTH) return '"[deep]"'
  if (Array.isArray(value)) return spellList(value, depth)
  const prototype: unknown = Object.getPrototypeOf(value)
  const special = prototype === Object.prototype ? undefined : spellSpecial(value, depth)
  if (special) return `{"$${special[0]}":${special[1]}}`
  const record = value as Readonly<Record<string, unknown>>
  const { sorted, labels } = shapeOf(Object.keys(record))
  let text = '{'
  for (let i = 0; i < sorted.length; i++) {
    const item = record[sorted[i]!]
    if (item !== undefined) text += `${text.length > 1 ? ',' : ''}${labels[i]}${spell(item, depth + 1)}`
  }
  return `${text}}`
}

function shapeOf(keys: readonly string[]): Shape {
  const alike = shapes.get(keys[0] ?? '')
  const known = alike?.find((shape) => sameKeys(shape.keys, keys))
  if (known) return known
  const sorted = keys.toSorted()
  const shape = { keys, sorted, labels: sorted.map((key) => `${JSON.stringify(key)}:`) }
  if (shapeCount < MAX_SHAPES && (alike?.length ?? 0) < MAX_ALIKE) {
    shapeCount++
    if (alike) alike.push(shape)
    else shapes.set(keys[0] ?? '', [shape])
  }
  return shape
}

function sameKeys(a: readonly string[], b: readonly string[]): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

function spellString(value: string): string {
  return value.length < 64 && PLAIN.test(value) ? `"${value}"` : JSON.stringify(value)
}

function spellNumber(value: number): string {
  if (!Number.isFinite(value)) return `{"$number":"${value}"}`
  return Object.is(value, -0) ? '-0' : String(value)
}

function spellList(items: Iterable<unknown>, depth: number): string {
  return `[${Array.from(items, (item) => spell(item, depth + 1)).join(',')}]`
}

/** The name and the content of what structured cloning carries beside plain data. */
function spellSpecial(value: object, depth: number): readonly [string, string] | undefined {
  if (value instanceof DataView) return ['DataView', bytes(value.buffer, value.byteOffset, value.byteLength)]
  if (ArrayBuffer.isView(value)) {
    const items = value as unknown as Iterable<number | bigint> & { readonly [Symbol.toStringTag]: string }
    return [items[Symbol.toStringTag], spellList(items, depth)]
  }
  if (value instanceof ArrayBuffer || value instanceof SharedArrayBuffer)
    return ['ArrayBuffer', bytes(value, 0, value.byteLength)]
  if (value instanceof Map) return ['Map', spellList(value, depth)]
  if (value instanceof Set) return ['Set', spellList(value, depth)]
  if (value instanceof Date) return ['Date', spellNumber(value.getTime())]
  if (value instanceof RegExp) return ['RegExp', JSON.stringify(String(value))]
  if (value instanceof Error) return ['Error', JSON.stringify(`${value.name}: ${value.message}`)]
  return undefined
}

function bytes(buffer: ArrayBufferLike, offset: number, length: number): string {
  return JSON.stringify(Buffer.from(buffer, offset, length).toString('base64'))
}
