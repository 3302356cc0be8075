import type { Graph, Value } from '../graph.js'
import { axesOf, type Shape, sizeOf } from '../shapes.js'
import { cast, compare, multiply, select } from './elementwise.js'
import { slice } from './layout.js'
import { hostDtype, type Lowerings, untraceable } from './lowering.js'
import { reduce } from './reduce.js'

/** TF.js kernels that read or write at indices. */
export const indexing: Lowerings = {
  GatherV2: ({ graph, operand, attrs }) => {
    const [x, indices] = [operand('x'), cast(graph, operand('indices'), 'int32')]
    const axis = axesOf(attrs.axis, x.shape.length)[0] ?? 0
    const batchDims = (attrs.batchDims as number | undefined) ?? 0
    if (batchDims === 0) {
      const shape = [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)]
      return graph.apply('Gather', [x, indices], x.dtype, shape, { axis: { int: axis } })
    }
    if (batchDims !== axis) throw untraceable(`GatherV2 with batchDims ${batchDims} on axis ${axis}`)
    const shape = [...indices.shape, ...x.shape.slice(axis + 1)]
    const points = graph.reshape(cast(graph, indices, 'int64'), [...indices.shape, 1])
    return graph.apply('GatherND', [x, points], x.dtype, shape, { batch_dims: { int: batchDims } })
  },
  GatherNd: ({ graph, operand }) => {
    const [params, indices] = [operand('params'), operand('indices')]
    const depth = indices.shape.at(-1) as number
    const shape = [...indices.shape.slice(0, -1), ...params.shape.slice(depth)]
    return graph.apply('GatherND', [params, cast(graph, indices, 'int64')], params.dtype, shape)
  },
  ScatterNd: ({ graph, operand, attrs }) => {
    const updates = operand('updates')
    const zeros = graph.splat(0, updates.dtype, attrs.shape as number[])
    return scatterAdd(graph, zeros, operand('indices'), updates)
  },
  TensorScatterUpdate: ({ graph, operand }) => {
    const tensor = operand('tensor')
    const inputs = [tensor, cast(graph, operand('indices'), 'int64'), operand('updates')]
    return graph.apply('ScatterND', inputs, tensor.dtype, tensor.shape)
  },
  OneHot: ({ graph, operand, attrs }) => {
    const indices = cast(graph, operand('indices'), 'int32')
    const depth = attrs.depth as number
    const dtype = hostDtype((attrs.dtype as string | undefined) ?? 'int32')
    const column = graph.reshape(indices, [...indices.shape, 1])
    const positions = graph.constant(
      Int32Array.from({ length: depth }, (_, i) => i),
      'int32',
      [depth],
    )
    const isHot = compare(graph, 'Equal', column, positions)
    if (attrs.onValue === 1 && attrs.offValue === 0) return cast(graph, isHot, dtype)
    const [on, off] = [attrs.onValue, attrs.offValue].map((value) => graph.splat(value as number, dtype))
    return select(graph, isHot, on as Value, off as Value)
  },
  UnsortedSegmentSum: ({ graph, operand, attrs }) => {
    const x = cast(graph, operand('x'), 'float32')
    const ids = cast(graph, operand('segmentIds'), 'int32')
    if (ids.shape.length !== 1) throw untraceable(`UnsortedSegmentSum with segment ids of rank ${ids.shape.length}`)
    return segmentSum(graph, x, ids, attrs.numSegments as number)
  },
  Range: ({ graph, attrs }) => {
    const { start, stop, step } = attrs as { start: number; stop: number; step: number }
    const count = Math.max(0, Math.ceil((stop - start) / step))
    return ramp(graph, hostDtype((attrs.dtype as string | undefined) ?? 'float32'), count, start, step)
  },
  LinSpace: ({ graph, attrs }) => {
    const { start, stop, num } = attrs as { start: number; stop: number; num: number }
    return ramp(graph, 'float32', num, start, num > 1 ? (stop - start) / (num - 1) : 0)
  },
  Fill: ({ graph, attrs }) => {
    const value = attrs.value as number
    return graph.splat(value, hostDtype((attrs.dtype as string | undefined) ?? 'float32'), attrs.shape as Shape)
  },
}

/** Most segments for which a product is faster than adding element by element (measured: even at about 3,000). */
const LARGEST_PRODUCT_SUM = 2048

/** Ids outside of [0, count) are dropped, as TF.js drops them: they land in one row more, which is then cut off. */
function segmentSum(graph: Graph, x: Value, ids: Value, count: number): Value {
  const rest = x.shape.slice(1)
  if (graph.threads > 1 && count <= LARGEST_PRODUCT_SUM && sizeOf(x.shape) > 0)
    return graph.reshape(segmentProduct(graph, x, ids, count), [count, ...rest])
  const [zero, end] = [graph.splat(0, 'int32'), graph.splat(count, 'int32')]
  const isBelow = compare(graph, 'Less', ids, zero)
  const kept = graph.elementwise('Min', [select(graph, isBelow, end, ids), end], 'int32')
  const rows = graph.reshape(kept, [sizeOf(ids.shape), 1])
  const sums = scatterAdd(graph, graph.splat(0, 'float32', [count + 1, ...rest]), rows, x)
  return slice(
    graph,
    sums,
    sums.shape.map(() => 0),
    [count, ...rest],
  )
}

/** Sums by a matrix product with the ids' one-hot rows: its threads share the work, where those of a scatter cannot. */
function segmentProduct(graph: Graph, x: Value, ids: Value, count: number): Value {
  const rows = sizeOf(ids.shape)
  const width = sizeOf(x.shape) / rows
  const hot = compare(graph, 'Equal', graph.reshape(ids, [rows, 1]), ramp(graph, 'int32', count, 0, 1))
  const factors = [cast(graph, hot, 'float32'), graph.reshape(x, [rows, width])]
  return graph.apply('Gemm', factors, 'float32', [count, width], { transA: { int: 1 } })
}

/**
 * Adds `updates` up where `indices` point. ONNX Runtime's ScatterND is the fastest, but its threads race where two
 * indices are equal (seen with 4 threads in 1.30), so graphs for several threads add element by element, in order.
 */
function scatterAdd(graph: Graph, into: Value, indices: Value, updates: Value): Value {
  const reduction = { reduction: { string: 'add' } }
  if (graph.threads === 1)
    return graph.apply('ScatterND', [into, cast(graph, indices, 'int64'), updates], into.dtype, into.shape, reduction)
  const depth = indices.shape.at(-1) as number
  const [count, width] = [sizeOf(indices.shape.slice(0, -1)), sizeOf(into.shape.slice(depth))]
  const rows = [sizeOf(into.shape.slice(0, depth)), width]
  const strides = into.shape.slice(0, depth).map((_, axis) => sizeOf(into.shape.slice(axis + 1, depth)))
  const scaled = multiply(
    graph,
    cast(graph, indices, 'int32'),
    graph.constant(Int32Array.from(strides), 'int32', [depth]),
  )
  const row = reduce(graph, 'ReduceSum', graph.reshape(scaled, [count, depth]), [1]) // [count, 1]
  const wide = graph.broadcast(cast(graph, row, 'int64'), [count, width])
  const inputs = [graph.reshape(into, rows), wide, graph.reshape(updates, [count, width])]
  const sums = graph.apply('ScatterElements', inputs, into.dtype, rows, { axis: { int: 0 }, ...reduction })
  return graph.reshape(sums, into.shape)
}

function ramp(graph: Graph, dtype: 'float32' | 'int32' | 'bool', count: number, start: number, step: number): Value {
  const at = (_: unknown, i: number) => start + i * step
  const data = dtype === 'float32' ? Float32Array.from({ length: count }, at) : Int32Array.from({ length: count }, at)
  return graph.constant(data, dtype, [count])
}
