import { TroupeError } from '../runtime/kernel/errors.js'
import { DTYPE_BYTES, type Dtype, widen } from './halves.js'

/** One named array of a safetensors file, as float32 whatever it was stored in. */
export interface SafeTensor {
  readonly name: string
  readonly shape: readonly number[]
  readonly data: Float32Array
}

/** Longest header that is read, as in the reference implementation. */
const MAX_HEADER_BYTES = 100_000_000

/** Bytes of one element, for every dtype of the format. */
const ELEMENT_BYTES: Readonly<Record<string, number>> = {
  ...DTYPE_BYTES,
  ...{ BOOL: 1, U8: 1, I8: 1, F8_E4M3: 1, F8_E5M2: 1, I16: 2, U16: 2, I32: 4, U32: 4, F64: 8, I64: 8, U64: 8 },
}

/** What a header says of one array; `begin` and `end` count bytes from the end of the header. */
export interface HeaderEntry {
  readonly name: string
  readonly dtype: string
  readonly shape: readonly number[]
  readonly begin: number
  readonly end: number
}

type Fail = (message: string) => never

/** Throws `E_CHECKPOINT` for a file that is not as the format says. */
export const failFile =
  (where: string): Fail =>
  (message) => {
    throw new TroupeError('E_CHECKPOINT', message, {
      where,
      hint: 'The file is damaged or not a safetensors file: copy or download it again',
    })
  }

/**
 * The first bytes of a safetensors file: an 8-byte little-endian header length, a JSON header padded with spaces to a multiple
 * of 8. Arrays follow in the given order, which is that of their names in files of the reference implementation. Source: the
 * format's README in huggingface/safetensors.
 */
export function encodeHeader(tensors: readonly { name: string; shape: readonly number[] }[], dtype: Dtype): Uint8Array {
  const header: Record<string, unknown> = { __metadata__: { format: 'pt' } }
  let end = 0
  for (const { name, shape } of tensors) {
    const begin = end
    end += shape.reduce((product, size) => product * size, DTYPE_BYTES[dtype])
    header[name] = { dtype, shape, data_offsets: [begin, end] }
  }
  const json = Buffer.from(JSON.stringify(header))
  const length = Math.ceil(json.length / 8) * 8
  const bytes = new Uint8Array(8 + length).fill(0x20, 8)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length), true)
  bytes.set(json, 8)
  return bytes
}

/** The order of arrays in a file. */
export const byName = (a: { readonly name: string }, b: { readonly name: string }): number => (a.name < b.name ? -1 : 1)

/** The bytes of a safetensors file of F32 arrays, in name order. */
export function encodeSafetensors(tensors: readonly SafeTensor[]): Uint8Array {
  const sorted = [...tensors].sort(byName)
  const header = encodeHeader(sorted, 'F32')
  const file = new Uint8Array(header.length + sorted.reduce((sum, { data }) => sum + data.byteLength, 0))
  file.set(header)
  let at = header.length
  for (const { data } of sorted) {
    file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at)
    at += data.byteLength
  }
  return file
}

/**
 * Reads a safetensors file of F32, F16 or BF16 arrays. Everything that the header claims is checked against the file
 * before any array is made; what is wrong throws `E_CHECKPOINT` that names `where`.
 */
export function decodeSafetensors(file: Uint8Array, where: string): SafeTensor[] {
  const fail = failFile(where)
  const start = 8 + headerBytes(file, file.length, fail)
  const entries = readHeader(file.subarray(8, start), file.length - start, fail)
  for (const entry of entries) floatDtype(entry, fail)
  return entries.map((entry) => {
    const data = new Float32Array(elements(entry))
    widen(file.subarray(start + entry.begin, start + entry.end), floatDtype(entry, fail), data)
    return { name: entry.name, shape: entry.shape, data }
  })
}

/** The stated length of the header, from the first bytes of a file of `size` bytes. */
export function headerBytes(first: Uint8Array, size: number, fail: Fail): number {
  if (size < 8) return fail(`the file has ${size} bytes, too few for a header`)
  const stated = new DataView(first.buffer, first.byteOffset, 8).getBigUint64(0, true)
  if (stated > BigInt(Math.min(MAX_HEADER_BYTES, size - 8)))
    return fail(`the header claims ${stated} bytes; the file has ${size} and a header at most ${MAX_HEADER_BYTES}`)
  return Number(stated)
}

export const elements = ({ shape }: HeaderEntry): number => shape.reduce((product, size) => product * size, 1)

/** The dtype of an array that is to be read. */
export function floatDtype({ name, dtype }: HeaderEntry, fail: Fail): Dtype {
  if (Object.hasOwn(DTYPE_BYTES, dtype)) return dtype as Dtype
  return fail(`tensor ${name} has dtype ${JSON.stringify(dtype)}; F32, F16 and BF16 can be read`)
}

/** The arrays that a header lists, in the order of the file; together they cover its `dataBytes` exactly. */
export function readHeader(bytes: Uint8Array, dataBytes: number, fail: Fail): HeaderEntry[] {
  let header: unknown
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (error) {
    return fail(`the header is not JSON: ${(error as Error).message}`)
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header)) return fail('the header is not an object')
  const entries = Object.entries(header)
    .filter(([name]) => name !== '__metadata__')
    .map(([name, value]) => readEntry(name, value, dataBytes, fail))
  entries.sort((a, b) => a.begin - b.begin || a.end - b.end)
  let covered = 0
  for (const { name, begin, end } of entries) {
    if (begin < covered) fail(`tensor ${name} overlaps another one`)
    if (begin > covered) fail(`${begin - covered} bytes before tensor ${name} belong to no tensor`)
    covered = end
  }
  if (covered !== dataBytes) fail(`the tensors cover ${covered} bytes of ${dataBytes}`)
  return entries
}

function readEntry(name: string, value: unknown, dataBytes: number, fail: Fail): HeaderEntry {
  const { dtype, shape, data_offsets: offsets } = (value ?? {}) as Record<string, unknown>
  if (typeof dtype !== 'string' || !Object.hasOwn(ELEMENT_BYTES, dtype))
    return fail(`tensor ${name} has dtype ${JSON.stringify(dtype)}; F32, F16 and BF16 can be read`)
  const isSize = (size: unknown): size is number => Number.isSafeInteger(size) && (size as number) >= 0
  if (!Array.isArray(shape) || !shape.every(isSize)) return fail(`tensor ${name} has shape ${JSON.stringify(shape)}`)
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isSize))
    return fail(`tensor ${name} has data_offsets ${JSON.stringify(offsets)}`)
  const [begin, end] = offsets as [number, number]
  if (begin > end || end > dataBytes) return fail(`tensor ${name} lies at ${begin}…${end} of ${dataBytes} bytes`)
  const bytes = shape.reduce((product, size) => product * size, ELEMENT_BYTES[dtype]!)
  if (bytes !== end - begin)
    return fail(`tensor ${name} of shape [${shape.join(', ')}] ${dtype} needs ${bytes} bytes, not ${end - begin}`)
  return { name, dtype, shape, begin, end }
}
