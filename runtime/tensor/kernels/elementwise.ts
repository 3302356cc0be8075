import type { Graph, GraphDtype, Value } from '../graph.js'
import { broadcastShape } from '../shapes.js'

/** Converts; floats to int32 are cut towards zero, anything but 0 is true. */
export function cast(graph: Graph, x: Value, dtype: GraphDtype): Value {
  if (x.dtype === dtype) return x
  if (x.origin.kind === 'splat') return graph.splat(x.origin.value, dtype, x.shape)
  const to = { float32: 1, int32: 6, int64: 7, bool: 9, float64: 11 }[dtype]
  return graph.elementwise('Cast', [x], dtype, { to: { int: to } })
}

export function add(graph: Graph, a: Value, b: Value): Value {
  if (splatOf(a) === 0) return widened(graph, b, a)
  if (splatOf(b) === 0) return widened(graph, a, b)
  return folded(graph, a, b, (x, y) => x + y) ?? graph.elementwise('Add', [a, b], a.dtype)
}

export function subtract(graph: Graph, a: Value, b: Value): Value {
  if (splatOf(b) === 0) return widened(graph, a, b)
  const whole = folded(graph, a, b, (x, y) => x - y)
  return whole ?? logSoftmax(graph, a, b) ?? graph.elementwise('Sub', [a, b], a.dtype)
}

export function multiply(graph: Graph, a: Value, b: Value): Value {
  if (splatOf(a) === 1) return widened(graph, b, a)
  if (splatOf(b) === 1) return widened(graph, a, b)
  const whole = a.dtype === 'float32' ? folded(graph, a, b, (x, y) => x * y) : undefined
  return whole ?? graph.elementwise('Mul', [a, b], a.dtype)
}

export function divide(graph: Graph, a: Value, b: Value): Value {
  if (splatOf(b) === 1) return widened(graph, a, b)
  return folded(graph, a, b, (x, y) => x / y) ?? graph.elementwise('Div', [a, b], a.dtype)
}

/** `then` where `condition` is true, else `otherwise`; the two have one dtype. */
export function select(graph: Graph, condition: Value, then: Value, otherwise: Value): Value {
  if (then.dtype !== 'bool') return graph.elementwise('Where', [condition, then, otherwise], then.dtype)
  const inverse = graph.elementwise('Not', [condition], 'bool')
  const chosen = graph.elementwise('And', [condition, then], 'bool')
  return graph.elementwise('Or', [chosen, graph.elementwise('And', [inverse, otherwise], 'bool')], 'bool')
}

export function compare(graph: Graph, op: string, a: Value, b: Value): Value {
  const dtype = a.dtype === 'float32' || b.dtype === 'float32' ? 'float32' : 'int32'
  return graph.elementwise(op, [cast(graph, a, dtype), cast(graph, b, dtype)], 'bool')
}

/** ln(1 + x), exact near 0 (Kahan: x · ln(u) / (u − 1) with u = 1 + x as rounded). */
export function log1p(graph: Graph, x: Value): Value {
  const one = graph.splat(1, 'float32')
  const u = add(graph, x, one)
  const log = graph.elementwise('Log', [u], 'float32')
  const near = multiply(graph, log, divide(graph, x, subtract(graph, u, one)))
  const close = select(graph, compare(graph, 'Equal', u, one), x, near)
  const isSmall = compare(graph, 'Less', graph.elementwise('Abs', [x], 'float32'), graph.splat(0.5, 'float32'))
  return select(graph, isSmall, close, log)
}

/** exp(x) − 1, exact near 0, by the same device as {@link log1p}. */
export function expm1(graph: Graph, x: Value): Value {
  const one = graph.splat(1, 'float32')
  const u = graph.elementwise('Exp', [x], 'float32')
  const less = subtract(graph, u, one)
  const near = divide(graph, multiply(graph, less, x), graph.elementwise('Log', [u], 'float32'))
  const close = select(graph, compare(graph, 'Equal', u, one), x, near)
  const isSmall = compare(graph, 'Less', graph.elementwise('Abs', [x], 'float32'), graph.splat(0.5, 'float32'))
  return select(graph, isSmall, close, less)
}

/** ln(1 + exp(x)) = max(x, 0) + ln(1 + exp(−|x|)): exact at both ends, unlike ONNX's own Softplus. */
export function softplus(graph: Graph, x: Value): Value {
  const minus = graph.elementwise('Neg', [graph.elementwise('Abs', [x], 'float32')], 'float32')
  const positive = graph.elementwise('Relu', [x], 'float32')
  return add(graph, positive, log1p(graph, graph.elementwise('Exp', [minus], 'float32')))
}

export function splatOf(value: Value): number | undefined {
  return value.origin.kind === 'splat' ? value.origin.value : undefined
}

function widened(graph: Graph, value: Value, other: Value): Value {
  return graph.broadcast(value, broadcastShape([value.shape, other.shape]))
}

function folded(graph: Graph, a: Value, b: Value, work: (x: number, y: number) => number): Value | undefined {
  const [x, y] = [splatOf(a), splatOf(b)]
  if (x === undefined || y === undefined || a.dtype !== 'float32') return undefined
  return graph.splat(work(x, y), a.dtype, broadcastShape([a.shape, b.shape]))
}

/**
 * TF.js composes logSoftmax as s − ln(Σ exp(s)) with s = x − max(x): five passes over the logits, which the native
 * operator does in one. Recognised here by its last step; the rest is then needed by nothing.
 */
function logSoftmax(graph: Graph, shifted: Value, log: Value): Value | undefined {
  const sum = source(source(log, 'Log')?.[0], 'ReduceSum')
  if (source(sum?.[0], 'Exp')?.[0] !== shifted) return undefined
  const [x, peak] = source(shifted, 'Sub') ?? []
  if (!x || source(peak, 'ReduceMax')?.[0] !== x) return undefined
  const rows = [...x.shape.slice(0, -1), 1]
  const isLastAxis = (value: Value | undefined) => value && String(value.shape) === String(rows)
  if (!isLastAxis(peak) || !isLastAxis(log) || x.shape.at(-1) === 1) return undefined
  return graph.apply('LogSoftmax', [x], 'float32', x.shape, { axis: { int: -1 } })
}

function source(value: Value | undefined, op: string): readonly Value[] | undefined {
  const operation = value?.origin.kind === 'operation' ? value.origin.operation : undefined
  return operation?.op === op ? operation.inputs : undefined
}
