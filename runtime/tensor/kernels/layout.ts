import { backend_util, slice_util, type TensorInfo } from '@tensorflow/tfjs-core'
import type { Graph, Value } from '../graph.js'
import { axesOf, padRank, type Shape, sameShape, sizeOf } from '../shapes.js'
import { cast } from './elementwise.js'
import { type Lowerings, untraceable } from './lowering.js'

/** `perm[i]` is the axis of `x` that becomes axis i. Moving only dimensions of one is a reshape. */
function transpose(graph: Graph, x: Value, perm: readonly number[]): Value {
  const shape = perm.map((axis) => x.shape[axis] as number)
  const moved = perm.filter((axis) => x.shape[axis] !== 1)
  if (moved.every((axis, i) => i === 0 || axis > (moved[i - 1] as number))) return graph.reshape(x, shape)
  if (x.origin.kind === 'splat') return graph.reshape(x, shape)
  if (x.origin.kind === 'view') {
    const base = graph.reshape(x.origin.base, padRank(x.origin.base.shape, perm.length))
    return graph.broadcast(transpose(graph, base, perm), shape)
  }
  const inner = transposition(x)
  if (inner)
    return transpose(
      graph,
      inner.x,
      perm.map((axis) => inner.perm[axis] as number),
    )
  return graph.apply('Transpose', [x], x.dtype, shape, { perm: { ints: perm } })
}

/** What `value` is a transposition of, if it is one. */
export function transposition(value: Value): { readonly x: Value; readonly perm: readonly number[] } | undefined {
  const operation = value.origin.kind === 'operation' ? value.origin.operation : undefined
  if (operation?.op !== 'Transpose') return undefined
  return { x: operation.inputs[0] as Value, perm: (operation.attributes.perm as { ints: readonly number[] }).ints }
}

export function slice(graph: Graph, x: Value, begin: readonly number[], size: Shape): Value {
  const axes = x.shape.flatMap((dim, axis) => (size[axis] === dim ? [] : [axis]))
  if (axes.length === 0) return x
  if (x.origin.kind === 'splat') return graph.splat(x.origin.value, x.dtype, size)
  if (x.origin.kind === 'view') {
    const base = graph.reshape(x.origin.base, padRank(x.origin.base.shape, x.shape.length))
    const from = begin.map((at, axis) => (base.shape[axis] === 1 ? 0 : at))
    return graph.broadcast(
      slice(
        graph,
        base,
        from,
        base.shape.map((dim, axis) => (dim === 1 ? 1 : (size[axis] ?? 1))),
      ),
      size,
    )
  }
  const starts = axes.map((axis) => begin[axis] as number)
  const ends = axes.map((axis) => (begin[axis] as number) + (size[axis] as number))
  return graph.apply('Slice', [x, graph.ints(starts), graph.ints(ends), graph.ints(axes)], x.dtype, size)
}

export function reverse(graph: Graph, x: Value, axes: readonly number[]): Value {
  if (axes.length === 0) return x
  const ends = axes.map((axis) => -(x.shape[axis] as number) - 1)
  const bounds = [axes.map(() => -1), ends, axes, axes.map(() => -1)].map((list) => graph.ints(list))
  return graph.apply('Slice', [x, ...bounds], x.dtype, x.shape)
}

export function concat(graph: Graph, parts: readonly Value[], axis: number): Value {
  const filled = parts.filter((part) => sizeOf(part.shape) > 0)
  const first = filled[0] ?? parts[0]
  if (!first || filled.length < 2) return first as Value
  if (filled.some((part) => !sameShape(part.shape.toSpliced(axis, 1), first.shape.toSpliced(axis, 1))))
    throw untraceable(`joining ${filled.map((part) => `[${part.shape}]`).join(', ')} along axis ${axis}`)
  const length = filled.reduce((sum, part) => sum + (part.shape[axis] as number), 0)
  const shape = first.shape.map((dim, i) => (i === axis ? length : dim))
  return graph.apply('Concat', filled, first.dtype, shape, { axis: { int: axis } })
}

const shapeOf = (x: Value) => x as unknown as TensorInfo

/** TF.js kernels that move elements without computing with them. */
export const layout: Lowerings = {
  Reshape: ({ graph, operand, attrs }) => {
    const x = operand('x')
    const wanted = attrs.shape as number[]
    const known = wanted.reduce((size, dim) => (dim < 0 ? size : size * dim), 1)
    if (wanted.every((dim) => dim >= 0) && known !== sizeOf(x.shape)) throw untraceable(`[${x.shape}] as [${wanted}]`)
    return graph.reshape(
      x,
      wanted.map((dim) => (dim < 0 ? sizeOf(x.shape) / known : dim)),
    )
  },
  ExpandDims: ({ graph, operand, attrs }) => {
    const x = operand('input')
    const dim = attrs.dim as number
    return graph.reshape(x, x.shape.toSpliced(dim < 0 ? x.shape.length + dim + 1 : dim, 0, 1))
  },
  Transpose: ({ graph, operand, attrs }) => transpose(graph, operand('x'), attrs.perm as number[]),
  BroadcastTo: ({ graph, operand, attrs }) => graph.broadcast(operand('x'), attrs.shape as number[]),
  Tile: ({ graph, operand, attrs }) => {
    const x = operand('x')
    const reps = attrs.reps as number[]
    const shape = x.shape.map((dim, i) => dim * (reps[i] as number))
    if (x.shape.every((dim, i) => dim === 1 || reps[i] === 1)) return graph.broadcast(x, shape)
    return graph.apply('Tile', [x, graph.ints(reps)], x.dtype, shape)
  },
  Slice: ({ graph, operand, attrs }) => {
    const x = operand('x')
    const [begin, size] = slice_util.parseSliceParams(shapeOf(x), attrs.begin as number[], attrs.size as number[])
    return slice(graph, x, begin as number[], size as number[])
  },
  StridedSlice: ({ graph, operand, attrs }) => {
    const x = operand('x')
    const masks = ['beginMask', 'endMask', 'ellipsisMask', 'newAxisMask', 'shrinkAxisMask'].map(
      (m) => attrs[m] as number,
    )
    const [begin, end, strides] = [attrs.begin, attrs.end, attrs.strides] as [number[], number[], number[]]
    const [m0, m1, m2, m3, m4] = masks as [number, number, number, number, number]
    const info = slice_util.sliceInfo([...x.shape], begin, end, strides, m0, m1, m2, m3, m4)
    const dims = slice_util.computeOutShape(info.begin, info.end, info.strides)
    const ends = info.end.map((at, axis) => (at < 0 ? -(x.shape[axis] as number) - 1 : at))
    const bounds = [info.begin, ends, x.shape.map((_, axis) => axis), info.strides].map((list) => graph.ints(list))
    return graph.reshape(graph.apply('Slice', [x, ...bounds], x.dtype, dims), info.finalShape)
  },
  Reverse: ({ graph, operand, attrs }) => {
    const x = operand('x')
    return reverse(graph, x, axesOf(attrs.dims, x.shape.length))
  },
  Concat: ({ graph, operands, attrs }) => {
    const rank = operands[0]?.shape.length ?? 0
    return concat(graph, operands, axesOf(attrs.axis, rank)[0] ?? 0)
  },
  Pack: ({ graph, operands, attrs }) => {
    const rank = (operands[0]?.shape.length ?? 0) + 1
    const axis = axesOf(attrs.axis, rank)[0] ?? 0
    return concat(
      graph,
      operands.map((x) => graph.reshape(x, x.shape.toSpliced(axis, 0, 1))),
      axis,
    )
  },
  Unpack: ({ graph, operand, attrs }) => {
    const x = operand('value')
    const axis = axesOf(attrs.axis, x.shape.length)[0] ?? 0
    const pieces = split(
      graph,
      x,
      axis,
      Array.from({ length: x.shape[axis] as number }, () => 1),
    )
    return pieces.map((piece) => graph.reshape(piece, x.shape.toSpliced(axis, 1)))
  },
  SplitV: ({ graph, operand, attrs }) => {
    const x = operand('x')
    const axis = axesOf(attrs.axis, x.shape.length)[0] ?? 0
    const sizes = backend_util.prepareSplitSize(shapeOf(x) as never, attrs.numOrSizeSplits as number[], axis)
    return split(graph, x, axis, sizes)
  },
  PadV2: ({ graph, operand, attrs }) => {
    const x = operand('x')
    const paddings = attrs.paddings as [number, number][]
    const shape = x.shape.map((dim, i) => dim + (paddings[i]?.[0] ?? 0) + (paddings[i]?.[1] ?? 0))
    if (sizeOf(shape) === sizeOf(x.shape)) return graph.reshape(x, shape)
    const pads = graph.ints([...paddings.map((pair) => pair[0]), ...paddings.map((pair) => pair[1])])
    return graph.apply('Pad', [x, pads, graph.splat(attrs.constantValue as number, x.dtype)], x.dtype, shape)
  },
  MirrorPad: ({ graph, operand, attrs }) => {
    const x = operand('x')
    if (attrs.mode !== 'reflect') throw untraceable(`MirrorPad with mode '${attrs.mode}'`)
    const paddings = attrs.paddings as [number, number][]
    const shape = x.shape.map((dim, i) => dim + (paddings[i]?.[0] ?? 0) + (paddings[i]?.[1] ?? 0))
    const pads = graph.ints([...paddings.map((pair) => pair[0]), ...paddings.map((pair) => pair[1])])
    return cast(graph, graph.apply('Pad', [x, pads], x.dtype, shape, { mode: { string: 'reflect' } }), x.dtype)
  },
}

/** One slice for each piece, so that pieces which nothing needs are never copied. */
function split(graph: Graph, x: Value, axis: number, sizes: readonly number[]): Value[] {
  let at = 0
  return sizes.map((size) => {
    const begin = x.shape.map((_, i) => (i === axis ? at : 0))
    at += size
    return slice(
      graph,
      x,
      begin,
      x.shape.map((dim, i) => (i === axis ? size : dim)),
    )
  })
}
