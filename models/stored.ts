import type { WeightEntry } from '../runtime/tensor/index.js'
import type { DecoderConfig } from './config.js'
import { type HeadKind, headLayout } from './head-layout.js'
import { paramLayout } from './layout.js'

/** How a tensor of a checkpoint's file holds parameters of the flat vector. */
export interface StoredTensor {
  readonly name: string
  readonly shape: readonly number[]
  /** As it is: one parameter. `transposed`: [in, out] of several one after another. `by head`: rows q₀ k₀ v₀ q₁ … of D each. */
  readonly form: 'plain' | 'transposed' | 'by head'
  readonly parts: readonly WeightEntry[]
  /** Rows of each part that stay together. */
  readonly headDim: number
}

const PACKED = /\.(q|k|v)_proj\.(weight|bias)$/

/**
 * The tensors of a checkpoint's file, under its names. Llama, Mistral and Qwen: the parameters themselves. GPT-2: `Conv1D`
 * weights are [in, out], and `c_attn` holds q, k and v side by side. GPT-NeoX: `query_key_value` holds them head by head.
 */
export function storedTensors(config: DecoderConfig, head?: HeadKind): StoredTensor[] {
  const { entries } = head ? headLayout(config, head) : paramLayout(config)
  const { architecture, headDim } = config
  const groups = new Map<string, WeightEntry[]>()
  for (const entry of entries) {
    const packed = architecture === 'gpt2' ? 'c_attn' : architecture === 'gpt_neox' ? 'query_key_value' : undefined
    const name = packed ? entry.name.replace(PACKED, `.${packed}.$2`) : entry.name
    groups.set(name, [...(groups.get(name) ?? []), entry])
  }
  return [...groups].map(([name, parts]): StoredTensor => {
    const [first] = parts as [WeightEntry]
    const rows = parts.reduce((sum, { shape }) => sum + shape[0]!, 0)
    if (architecture === 'gpt2' && /\.(c_attn|c_proj|c_fc)\.weight$/.test(name))
      return { name, shape: [first.shape[1]!, rows], form: 'transposed', parts, headDim }
    const form = parts.length > 1 && architecture === 'gpt_neox' ? 'by head' : 'plain'
    return { name, shape: [rows, ...first.shape.slice(1)], form, parts, headDim }
  })
}

/** The tensor's values, from the flat vector; a view of it where that is enough. */
export function packStored(stored: StoredTensor, params: Float32Array): Float32Array {
  const [only, ...others] = stored.parts as [WeightEntry, ...WeightEntry[]]
  if (stored.form === 'plain' && others.length === 0) return params.subarray(only.offset, only.offset + only.length)
  const data = new Float32Array(stored.parts.reduce((sum, { length }) => sum + length, 0))
  moveStored(stored, (at, place, count, stride) => {
    if (stride === 1) data.set(params.subarray(place, place + count), at)
    else for (let i = 0; i < count; i++) data[at + i * stride] = params[place + i]!
  })
  return data
}

/** Puts the tensor's values where they belong in the flat vector. */
export function unpackStored(stored: StoredTensor, data: Float32Array, params: Float32Array): void {
  moveStored(stored, (at, place, count, stride) => {
    if (stride === 1) params.set(data.subarray(at, at + count), place)
    else for (let i = 0; i < count; i++) params[place + i] = data[at + i * stride]!
  })
}

/** Runs through both: `count` values lie at `place` of the flat vector, and at `at`, at + stride, … of the tensor. */
function moveStored(
  { form, shape, parts, headDim }: StoredTensor,
  move: (at: number, place: number, count: number, stride: number) => void,
): void {
  let rows = 0 // of the parts before
  parts.forEach(({ offset, length, shape: own }, index) => {
    const width = own[1] ?? 1
    if (form === 'plain') move(rows * width, offset, length, 1)
    else if (form === 'transposed')
      for (let row = 0; row < own[0]!; row++) move(rows + row, offset + row * width, width, shape[1]!)
    else {
      const run = headDim * width
      for (let head = 0; head * headDim < own[0]!; head++)
        move((head * parts.length + index) * run, offset + head * run, run, 1)
    }
    rows += own[0]!
  })
}
