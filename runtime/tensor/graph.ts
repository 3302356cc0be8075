import { createHash } from 'node:crypto'
import type { HostDtype } from './compile.js'
import { broadcastShape, type Shape, sameShape, sizeOf } from './shapes.js'

/** What a graph computes in; the wider types only appear between a kernel's own operations. */
export type GraphDtype = HostDtype | 'int64' | 'float64'
export type ConstantData = Float32Array | Int32Array | Uint8Array | BigInt64Array

export type Attribute =
  | { readonly int: number }
  | { readonly float: number }
  | { readonly ints: readonly number[] }
  | { readonly string: string }
  | { readonly fill: number; readonly dtype: GraphDtype }
export type Attributes = Readonly<Record<string, Attribute>>

/** One ONNX node. `domain` is empty for the standard operators. */
export interface Operation {
  readonly op: string
  readonly domain: string
  readonly inputs: readonly Value[]
  readonly attributes: Attributes
  readonly outputs: Value[]
}

export type Origin =
  | { readonly kind: 'input'; readonly index: number }
  | { readonly kind: 'constant'; readonly data: ConstantData }
  /** One number everywhere: costs nothing until an operation needs it dense. */
  | { readonly kind: 'splat'; readonly value: number }
  /** `base` broadcast to the value's shape: costs nothing until an operation needs it dense. */
  | { readonly kind: 'view'; readonly base: Value }
  | { readonly kind: 'operation'; readonly operation: Operation }

export interface Value {
  readonly id: number
  readonly dtype: GraphDtype
  readonly shape: Shape
  readonly origin: Origin
}

const LARGEST_DENSE_FILL = 16

/**
 * A graph under construction. Equal operations on equal values are built once; fills and broadcasts stay symbolic, so
 * that the expanded copies which TF.js's gradients ask for mostly never exist.
 */
export class Graph {
  readonly inputs: Value[] = []
  private values = 0

  /** `threads` that will work inside of one operation. */
  constructor(readonly threads = 1) {}

  private readonly known = new Map<string, Value>()

  input(dtype: HostDtype, shape: Shape): Value {
    const value = this.value(dtype, shape, { kind: 'input', index: this.inputs.length })
    this.inputs.push(value)
    return value
  }

  constant(data: ConstantData, dtype: GraphDtype, shape: Shape): Value {
    const first = data[0]
    if (typeof first === 'number' && (data as Float32Array).every((x) => Object.is(x, first)))
      return this.splat(first, dtype, shape)
    const digest = createHash('sha1').update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
    const key = `constant ${dtype} ${shape} ${digest.digest('base64')}`
    return this.once(key, () => this.value(dtype, shape, { kind: 'constant', data }))
  }

  /** `value` is stored as `dtype` would: rounded to float32, cut to int32, 0 or 1. */
  splat(value: number, dtype: GraphDtype, shape: Shape = []): Value {
    const stored = stored_(value, dtype)
    const key = `splat ${dtype} ${shape} ${Object.is(stored, -0) ? '-0' : stored}`
    return this.once(key, () => this.value(dtype, shape, { kind: 'splat', value: stored }))
  }

  /** An int64 vector, as ONNX takes shapes, axes and bounds. */
  ints(list: readonly number[]): Value {
    const key = `ints ${list}`
    const data = () => BigInt64Array.from(list, (x) => BigInt(x))
    return this.once(key, () => this.value('int64', [list.length], { kind: 'constant', data: data() }))
  }

  /** One operation with one result. Symbolic inputs are made dense; use {@link elementwise} where they need not be. */
  apply(
    op: string,
    inputs: readonly Value[],
    dtype: GraphDtype,
    shape: Shape,
    attributes: Attributes = {},
    domain = '',
  ) {
    return this.applyMany(op, inputs, [{ dtype, shape }], attributes, domain)[0] as Value
  }

  applyMany(
    op: string,
    inputs: readonly Value[],
    results: readonly { readonly dtype: GraphDtype; readonly shape: Shape }[],
    attributes: Attributes = {},
    domain = '',
  ): Value[] {
    const operands = inputs.map((input) => this.dense(input))
    const types = results.map((r) => `${r.dtype}[${r.shape}]`)
    const key = `${domain}.${op} ${operands.map((v) => v.id)} ${types} ${JSON.stringify(attributes)}`
    const first = this.once(key, () => {
      const operation: Operation = { op, domain, inputs: operands, attributes, outputs: [] }
      const origin = { kind: 'operation', operation } as const
      operation.outputs.push(...results.map((r) => this.value(r.dtype, r.shape, origin)))
      return operation.outputs[0] as Value
    })
    return (first.origin as { operation: Operation }).operation.outputs
  }

  /** An operation that works element by element and broadcasts, done on the smallest operands that give the result. */
  elementwise(op: string, inputs: readonly Value[], dtype: GraphDtype, attributes: Attributes = {}): Value {
    const shape = broadcastShape(inputs.map((input) => input.shape))
    const narrow = inputs.map((input) => this.narrow(input))
    const inner = broadcastShape(narrow.map((input) => input.shape))
    return this.broadcast(this.apply(op, narrow, dtype, inner, attributes), shape)
  }

  /** `value` in a larger shape, without copying. */
  broadcast(value: Value, shape: Shape): Value {
    if (sameShape(value.shape, shape)) return value
    if (value.origin.kind === 'splat') return this.splat(value.origin.value, value.dtype, shape)
    if (sizeOf(value.shape) === sizeOf(shape)) return this.reshape(value, shape)
    const base = this.narrow(value)
    return this.once(`view ${base.id} ${shape}`, () => this.value(value.dtype, shape, { kind: 'view', base }))
  }

  reshape(value: Value, shape: Shape): Value {
    if (sameShape(value.shape, shape)) return value
    if (value.origin.kind === 'splat') return this.splat(value.origin.value, value.dtype, shape)
    if (value.origin.kind === 'view') {
      const base = reshapedBase(value.origin.base.shape, value.shape, shape)
      if (base) return this.broadcast(this.reshape(value.origin.base, base), shape)
    }
    const from = value.origin.kind === 'operation' ? value.origin.operation : undefined
    if (from?.op === 'Reshape') return this.reshape(from.inputs[0] as Value, shape)
    return this.apply('Reshape', [value, this.ints(shape)], value.dtype, shape)
  }

  /** The smallest value that broadcasts to `value`. */
  narrow(value: Value): Value {
    if (value.origin.kind === 'splat') return this.splat(value.origin.value, value.dtype)
    return value.origin.kind === 'view' ? value.origin.base : value
  }

  /** A value that a node can read: fills and views become operations. */
  dense(value: Value): Value {
    const { origin, dtype, shape } = value
    if (origin.kind === 'view') return this.apply('Expand', [origin.base, this.ints(shape)], dtype, shape)
    if (origin.kind !== 'splat' || sizeOf(shape) <= LARGEST_DENSE_FILL) return value
    return this.apply('ConstantOfShape', [this.ints(shape)], dtype, shape, { value: { fill: origin.value, dtype } })
  }

  private value(dtype: GraphDtype, shape: Shape, origin: Origin): Value {
    return { id: this.values++, dtype, shape: [...shape], origin }
  }

  private once(key: string, make: () => Value): Value {
    const known = this.known.get(key)
    if (known) return known
    const made = make()
    this.known.set(key, made)
    return made
  }
}

function stored_(value: number, dtype: GraphDtype): number {
  if (dtype === 'float32') return Math.fround(value)
  if (dtype === 'bool') return value ? 1 : 0
  return dtype === 'int32' ? value | 0 : value
}

/** How a view's base must be reshaped when the view only gains or loses dimensions of one; else undefined. */
function reshapedBase(base: Shape, from: Shape, to: Shape): number[] | undefined {
  const padded = from.map((_, axis) => base[axis - (from.length - base.length)] ?? 1)
  const wide = from.flatMap((dim, axis) => (dim === 1 ? [] : [{ dim, held: padded[axis] as number }]))
  const result: number[] = []
  for (const dim of to) {
    const next = dim === 1 ? undefined : wide.shift()
    if (dim !== 1 && next?.dim !== dim) return undefined
    result.push(next ? next.held : 1)
  }
  return wide.length === 0 ? result : undefined
}
