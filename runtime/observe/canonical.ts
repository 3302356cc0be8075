/** Nesting beyond this is spelled `"[deep]"`: a report is no place for it, and a line must end. */
const MAX_DEPTH = 100

/**
 * One spelling for one value: JSON with sorted keys, without what is undefined. Numbers are exact, `-0` included. What
 * JSON has no word for is named: `{"$number":"NaN"}`, `{"$bigint":"12"}`, `{"$Float32Array":[…]}`, `{"$Map":[…]}`.
 */
export function canonicalJson(value: unknown): string {
  return spell(value, 0)
}

function spell(value: unknown, depth: number): string {
  if (typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'number') return spellNumber(value)
  if (typeof value === 'boolean') return value ? 'true' : 'false'
  if (typeof value === 'bigint') return `{"$bigint":"${value}"}`
  if (typeof value !== 'object' || value === null) return 'null'
  if (depth > MAX_DEPTH) return '"[deep]"'
  if (Array.isArray(value)) return spellList(value, depth)
  const special = spellSpecial(value, depth)
  if (special) return `{"$${special[0]}":${special[1]}}`
  const record = value as Readonly<Record<string, unknown>>
  let text = ''
  for (const key of Object.keys(record).sort()) {
    const item = record[key]
    if (item !== undefined) text += `${text && ','}${JSON.stringify(key)}:${spell(item, depth + 1)}`
  }
  return `{${text}}`
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
