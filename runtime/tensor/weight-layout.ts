import { TroupeError } from '../kernel/errors.js'
import type { HostTensor } from './compile.js'
import { type Shape, sizeOf } from './shapes.js'
import type { WeightEntry, WeightLayout } from './weights.js'

/** Lays arrays out one after another in one flat vector, in the given order. `E_CONFIG` for a repeated name. */
export function layoutOf(arrays: readonly { readonly name: string; readonly shape: Shape }[]): WeightLayout {
  let total = 0
  const entries = arrays.map(({ name, shape }): WeightEntry => {
    const entry = { name, shape: [...shape], offset: total, length: sizeOf(shape) }
    total += entry.length
    return entry
  })
  const layout = { entries, total }
  checkLayout(layout, 'E_CONFIG')
  return layout
}

/** The arrays of a flat vector by name: views, not copies. `E_CONFIG` when the vector is not `layout.total` long. */
export function views(flat: Float32Array, layout: WeightLayout): Map<string, Float32Array> {
  checkLength(flat, layout)
  const view = ({ offset, length }: WeightEntry) => flat.subarray(offset, offset + length)
  return new Map(layout.entries.map((entry) => [entry.name, view(entry)]))
}

/** The same arrays as inputs of a graph, in the layout's order: what is written into `flat` is what the next call reads. */
export function hostTensors(flat: Float32Array, { entries }: Pick<WeightLayout, 'entries'>): HostTensor[] {
  return entries.map(({ shape, offset, length }) => ({
    dtype: 'float32',
    shape,
    data: flat.subarray(offset, offset + length),
  }))
}

export function checkLength(flat: Float32Array, layout: WeightLayout): void {
  if (flat instanceof Float32Array && flat.length === layout.total) return
  throw new TroupeError('E_CONFIG', `the vector has ${flat.length} elements where the layout has ${layout.total}`)
}

/** A layout may come from another thread: every entry must lie inside of the vector and be as long as its shape says. */
export function checkLayout(layout: WeightLayout, code: 'E_CONFIG' | 'E_MESSAGE'): void {
  const names = new Set<string>()
  if (!Array.isArray(layout?.entries) || !isCount(layout.total)) throw new TroupeError(code, 'this is no weight layout')
  for (const entry of layout.entries as readonly (Partial<WeightEntry> | null)[]) {
    const { name, shape, offset, length } = entry ?? {}
    const isShape = Array.isArray(shape) && shape.every(isCount) && sizeOf(shape) === length
    const isInside = isCount(offset) && isCount(length) && offset + length <= layout.total
    if (typeof name !== 'string' || !isShape || !isInside)
      throw new TroupeError(code, `the entry '${String(name)}' does not fit its weight layout`)
    if (names.has(name)) throw new TroupeError(code, `the weight layout names '${name}' twice`)
    names.add(name)
  }
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}
