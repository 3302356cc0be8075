/** What weights can be stored as. */
export const DTYPE_BYTES = { F32: 4, F16: 2, BF16: 2 } as const
export type Dtype = keyof typeof DTYPE_BYTES

/** Stored bytes, little-endian, as float32 into `target`, which has as many elements. */
export function widen(bytes: Uint8Array, dtype: Dtype, target: Float32Array): void {
  const aligned = new Uint8Array(bytes) // of its own buffer, so that it begins at a multiple of 4
  if (dtype === 'F32') {
    target.set(new Float32Array(aligned.buffer))
    return
  }
  const halves = new Uint16Array(aligned.buffer)
  const words = new Uint32Array(target.buffer, target.byteOffset, target.length)
  if (dtype === 'BF16') for (let i = 0; i < halves.length; i++) words[i] = halves[i]! << 16
  else for (let i = 0; i < halves.length; i++) words[i] = halfToFloatBits(halves[i]!)
}

/**
 * Values as stored bytes, rounded to the nearest, ties to even. Undefined where a half-precision dtype cannot hold a value:
 * one that is not finite, or that would round to infinity (from 65520 in F16).
 */
export function narrow(values: Float32Array, dtype: Dtype): Uint8Array | undefined {
  if (dtype === 'F32') return new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length)
  const halves = new Uint16Array(values.length)
  const endless = dtype === 'BF16' ? 0x7f80 : 0x7c00
  for (let i = 0; i < words.length; i++) {
    const half = dtype === 'BF16' ? floatToBrainBits(words[i]!) : floatToHalfBits(words[i]!, values[i]!)
    if ((half & 0x7fff) >= endless) return undefined
    halves[i] = half
  }
  return new Uint8Array(halves.buffer)
}

/** Several times as fast as asking `Number.isFinite` of each. */
export function areFinite(values: Float32Array): boolean {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length)
  for (let i = 0; i < words.length; i++) if ((words[i]! & 0x7f800000) === 0x7f800000) return false
  return true
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

const SMALLEST_NORMAL = 2 ** -14
const SUBNORMAL_STEP = 2 ** -24

function floatToHalfBits(bits: number, value: number): number {
  const sign = (bits >>> 16) & 0x8000
  const magnitude = bits & 0x7fffffff
  if (magnitude >= 0x47800000) return sign | 0x7c00 // 65536 and beyond, and what is not a number
  if (Math.abs(value) < SMALLEST_NORMAL) return sign | toEven(Math.abs(value) / SUBNORMAL_STEP)
  const shifted = magnitude - (112 << 23)
  return sign | ((shifted + 0xfff + ((shifted >> 13) & 1)) >> 13)
}

function toEven(x: number): number {
  const down = Math.floor(x)
  const over = x - down
  return over > 0.5 || (over === 0.5 && down % 2 === 1) ? down + 1 : down
}

function floatToBrainBits(bits: number): number {
  if ((bits & 0x7f800000) === 0x7f800000) return 0x7f80 // not finite
  return (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16
}
