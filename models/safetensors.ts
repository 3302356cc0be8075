import { TroupeError } from '../runtime/kernel/errors.js'

/** One named array of a safetensors file, as float32 whatever it was stored in. */
export interface SafeTensor {
  readonly name: string
  readonly shape: readonly number[]
  readonly data: Float32Array
}

/** Longest header that is read, as in the reference implementation. */
const MAX_HEADER_BYTES = 100_000_000

const DTYPE_BYTES = { F32: 4, F16: 2, BF16: 2 } as const
export type Dtype = keyof typeof DTYPE_BYTES

interface HeaderEntry {
  readonly name: string
  readonly dtype: Dtype
  readonly shape: readonly number[]
  readonly begin: number
  readonly end: number
}

/**
 * The bytes of a safetensors file: an 8-byte little-endian header length, a JSON header padded with spaces to a multiple
 * of 8, and F32 arrays in name order. Source: the format's README in huggingface/safetensors.
 */
export function encodeSafetensors(tensors: readonly SafeTensor[]): Uint8Array {
  const sorted = [...tensors].sort((a, b) => (a.name < b.name ? -1 : 1))
  const header: Record<string, unknown> = { __metadata__: { format: 'pt' } }
  let end = 0
  for (const { name, shape, data } of sorted) {
    header[name] = { dtype: 'F32', shape, data_offsets: [end, end + 4 * data.length] }
    end += 4 * data.length
  }
  const json = Buffer.from(JSON.stringify(header))
  const length = Math.ceil(json.length / 8) * 8
  const file = new Uint8Array(8 + length + end).fill(0x20, 8, 8 + length)
  new DataView(file.buffer).setBigUint64(0, BigInt(length), true)
  file.set(json, 8)
  let at = 8 + length
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
  const fail = (message: string): never => {
    throw new TroupeError('E_CHECKPOINT', message, {
      where,
      hint: 'The file is damaged or not a safetensors file: copy or download it again',
    })
  }
  if (file.length < 8) fail(`the file has ${file.length} bytes, too few for a header`)
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  const stated = view.getBigUint64(0, true)
  if (stated > BigInt(Math.min(MAX_HEADER_BYTES, file.length - 8)))
    fail(`the header claims ${stated} bytes; the file has ${file.length} and a header at most ${MAX_HEADER_BYTES}`)
  const start = 8 + Number(stated)
  const entries = readHeader(file.subarray(8, start), file.length - start, fail)
  return entries.map(({ name, dtype, shape, begin, end }) => ({
    name,
    shape,
    data: toFloat32(file.subarray(start + begin, start + end), dtype),
  }))
}

function readHeader(bytes: Uint8Array, dataBytes: number, fail: (message: string) => never): HeaderEntry[] {
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

function readEntry(name: string, value: unknown, dataBytes: number, fail: (message: string) => never): HeaderEntry {
  const { dtype, shape, data_offsets: offsets } = (value ?? {}) as Record<string, unknown>
  if (typeof dtype !== 'string' || !Object.hasOwn(DTYPE_BYTES, dtype))
    return fail(`tensor ${name} has dtype ${JSON.stringify(dtype)}; F32, F16 and BF16 can be read`)
  const isSize = (size: unknown): size is number => Number.isSafeInteger(size) && (size as number) >= 0
  if (!Array.isArray(shape) || !shape.every(isSize)) return fail(`tensor ${name} has shape ${JSON.stringify(shape)}`)
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isSize))
    return fail(`tensor ${name} has data_offsets ${JSON.stringify(offsets)}`)
  const [begin, end] = offsets as [number, number]
  if (begin > end || end > dataBytes) return fail(`tensor ${name} lies at ${begin}…${end} of ${dataBytes} bytes`)
  const bytes = shape.reduce((product, size) => product * size, DTYPE_BYTES[dtype as Dtype])
  if (bytes !== end - begin)
    return fail(`tensor ${name} of shape [${shape.join(', ')}] ${dtype} needs ${bytes} bytes, not ${end - begin}`)
  return { name, dtype: dtype as Dtype, shape, begin, end }
}

function toFloat32(bytes: Uint8Array, dtype: Dtype): Float32Array {
  const aligned = new Uint8Array(bytes) // of its own buffer, so that it begins at a multiple of 4
  if (dtype === 'F32') return new Float32Array(aligned.buffer)
  const halves = new Uint16Array(aligned.buffer)
  const words = new Uint32Array(halves.length)
  for (let i = 0; i < halves.length; i++) words[i] = dtype === 'BF16' ? halves[i]! << 16 : halfToFloatBits(halves[i]!)
  return new Float32Array(words.buffer)
}

/** IEEE 754 half to single, as bits. */
function halfToFloatBits(half: number): number {
  const sign = (half & 0x8000) << 16
  const exponent = (half >> 10) & 0x1f
  const fraction = half & 0x3ff
  if (exponent === 0x1f) return sign | 0x7f800000 | (fraction << 13)
  if (exponent > 0) return sign | ((exponent + 112) << 23) | (fraction << 13)
  if (fraction === 0) return sign
  const shift = Math.clz32(fraction) - 21 // subnormal: bring the leading bit to place 10
  return sign | ((113 - shift) << 23) | (((fraction << shift) & 0x3ff) << 13)
}
