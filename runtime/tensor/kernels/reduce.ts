import type { Graph, Value } from '../graph.js'
import { axesOf, keptShape, padRank, reducedShape, sizeOf } from '../shapes.js'
import { cast, multiply } from './elementwise.js'
import { concat, reverse, slice } from './layout.js'
import { type KernelCall, type Lowering, type Lowerings, untraceable } from './lowering.js'

function reduction(op: string, prepare: (graph: Graph, x: Value) => Value, axisName = 'axis'): Lowering {
  return ({ graph, operand, attrs }) => {
    const x = prepare(graph, operand('x'))
    const axes = axesOf(attrs[axisName], x.shape.length)
    return shaped(graph, reduce(graph, op, x, axes), x, axes, attrs.keepDims)
  }
}

const whole = (graph: Graph, x: Value) => (x.dtype === 'bool' ? cast(graph, x, 'int32') : x)
const asFloat = (graph: Graph, x: Value) => cast(graph, x, 'float32')

/** All or any: the least or greatest of zeros and ones. */
function truth(op: 'ReduceMin' | 'ReduceMax'): Lowering {
  return (call) => {
    const inner = reduction(op, (graph, x) => cast(graph, x, 'int32'))
    return cast(call.graph, inner(call) as Value, 'bool')
  }
}

function extremum(op: 'ReduceMin' | 'ReduceMax', axisName: string): Lowering {
  return (call) => cast(call.graph, reduction(op, whole, axisName)(call) as Value, call.operand('x').dtype)
}

function position(op: 'ArgMax' | 'ArgMin'): Lowering {
  return ({ graph, operand, attrs }) => {
    const x = whole(graph, operand('x'))
    const axis = axesOf(attrs.axis, x.shape.length)[0] ?? 0
    const attributes = { axis: { int: axis }, keepdims: { int: 0 } }
    return cast(graph, graph.apply(op, [x], 'int64', reducedShape(x.shape, [axis]), attributes), 'int32')
  }
}

/** TF.js kernels that reduce over axes, and running sums and products. */
export const reductions: Lowerings = {
  Sum: reduction('ReduceSum', whole),
  Mean: reduction('ReduceMean', asFloat),
  Prod: reduction('ReduceProd', whole),
  Max: extremum('ReduceMax', 'reductionIndices'),
  Min: extremum('ReduceMin', 'axis'),
  All: truth('ReduceMin'),
  Any: truth('ReduceMax'),
  ArgMax: position('ArgMax'),
  ArgMin: position('ArgMin'),
  Softmax: ({ graph, operand }) => {
    const logits = operand('logits')
    return graph.apply('Softmax', [logits], 'float32', logits.shape, { axis: { int: -1 } })
  },
  LogSoftmax: ({ graph, operand }) => {
    const logits = operand('logits')
    return graph.apply('LogSoftmax', [logits], 'float32', logits.shape, { axis: { int: -1 } })
  },
  Cumsum: ({ graph, operand, attrs }) => {
    const x = whole(graph, operand('x'))
    const flags = { exclusive: { int: attrs.exclusive ? 1 : 0 }, reverse: { int: attrs.reverse ? 1 : 0 } }
    const axis = axesOf(attrs.axis, x.shape.length)[0] ?? 0
    return graph.apply('CumSum', [x, graph.constant(Int32Array.of(axis), 'int32', [])], x.dtype, x.shape, flags)
  },
  Cumprod: cumulativeProduct,
  TopK: ({ graph, operand, attrs }) => {
    const x = operand('x')
    const shape = [...x.shape.slice(0, -1), attrs.k as number]
    const types = [
      { dtype: x.dtype, shape },
      { dtype: 'int64' as const, shape },
    ]
    const [values, indices] = graph.applyMany('TopK', [x, graph.ints([attrs.k as number])], types)
    return [values as Value, cast(graph, indices as Value, 'int32')]
  },
}

/** Reduces with the reduced axes kept as ones. What is only broadcast along an axis is not expanded to be summed. */
export function reduce(graph: Graph, op: string, x: Value, axes: readonly number[]): Value {
  const wide = axes.filter((axis) => x.shape[axis] !== 1)
  if (wide.length === 0) return x
  const isSum = op === 'ReduceSum'
  if (x.origin.kind === 'splat' && (isSum || op !== 'ReduceProd')) {
    const count = isSum ? sizeOf(wide.map((axis) => x.shape[axis] as number)) : 1
    return graph.splat(x.origin.value * count, x.dtype, keptShape(x.shape, axes))
  }
  if (x.origin.kind === 'view' && op !== 'ReduceProd') {
    const base = x.origin.base
    const inner = graph.reshape(base, padRank(base.shape, x.shape.length))
    const repeated = wide.filter((axis) => inner.shape[axis] === 1)
    if (repeated.length > 0) {
      const count = isSum ? sizeOf(repeated.map((axis) => x.shape[axis] as number)) : 1
      const rest = graph.broadcast(inner, keptShape(x.shape, repeated))
      return multiply(graph, reduce(graph, op, rest, wide), graph.splat(count, x.dtype))
    }
  }
  return graph.apply(op, [x, graph.ints(wide)], x.dtype, keptShape(x.shape, wide), { keepdims: { int: 1 } })
}

function shaped(graph: Graph, reduced: Value, x: Value, axes: readonly number[], keepDims: unknown): Value {
  return keepDims ? reduced : graph.reshape(reduced, reducedShape(x.shape, axes))
}

/** ONNX has no running product: log₂(n) rounds of multiplying by oneself, shifted. */
function cumulativeProduct({ graph, operand, attrs }: KernelCall): Value {
  const x = whole(graph, operand('x'))
  const axis = axesOf(attrs.axis, x.shape.length)[0]
  const length = x.shape[axis ?? 0]
  if (axis === undefined || length === undefined) throw untraceable('Cumprod of a scalar')
  const turned = attrs.reverse ? reverse(graph, x, [axis]) : x
  const shifted = (value: Value, by: number) => {
    const ones = graph.splat(
      1,
      x.dtype,
      x.shape.map((dim, i) => (i === axis ? Math.min(by, length) : dim)),
    )
    if (by >= length) return ones
    const kept = x.shape.map((dim, i) => (i === axis ? length - by : dim))
    return concat(
      graph,
      [
        ones,
        slice(
          graph,
          value,
          x.shape.map(() => 0),
          kept,
        ),
      ],
      axis,
    )
  }
  let result = attrs.exclusive ? shifted(turned, 1) : turned
  for (let by = 1; by < length; by *= 2) result = multiply(graph, result, shifted(result, by))
  return attrs.reverse ? reverse(graph, result, [axis]) : result
}
