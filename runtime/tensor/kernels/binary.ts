import type { Graph, GraphDtype, Value } from '../graph.js'
import { add, cast, compare, divide, multiply, select, splatOf, subtract } from './elementwise.js'
import { hostDtype, type Lowering, type Lowerings, upcast } from './lowering.js'

type Work = (graph: Graph, a: Value, b: Value) => Value

/** Arithmetic in the wider dtype of the two; truth values are counted as whole numbers and come back as truth values. */
function arithmetic(work: Work): Lowering {
  return ({ graph, operand }) => {
    const [a, b] = [operand('a'), operand('b')]
    const dtype = upcast(a, b)
    const inner: GraphDtype = dtype === 'bool' ? 'int32' : dtype
    return cast(graph, work(graph, cast(graph, a, inner), cast(graph, b, inner)), dtype)
  }
}

function comparison(op: string): Lowering {
  return ({ graph, operand }) => compare(graph, op, operand('a'), operand('b'))
}

function logical(op: string): Lowering {
  return ({ graph, operand }) => {
    const operands = [operand('a'), operand('b')].map((value) => cast(graph, value, 'bool'))
    return graph.elementwise(op, operands, 'bool')
  }
}

const native =
  (op: string): Work =>
  (graph, a, b) =>
    graph.elementwise(op, [a, b], a.dtype)

/** TF.js kernels of two or more operands that work element by element and broadcast. */
export const binary: Lowerings = {
  Add: arithmetic(add),
  Sub: arithmetic(subtract),
  Multiply: arithmetic(multiply),
  Maximum: arithmetic(native('Max')),
  Minimum: arithmetic(native('Min')),
  Mod: arithmetic(modulo),
  Pow: arithmetic(power),
  SquaredDifference: arithmetic((graph, a, b) => {
    const difference = subtract(graph, a, b)
    return multiply(graph, difference, difference)
  }),
  RealDiv: ({ graph, operand }) =>
    divide(graph, cast(graph, operand('a'), 'float32'), cast(graph, operand('b'), 'float32')),
  FloorDiv: ({ graph, operand }) => {
    const [a, b] = [operand('a'), operand('b')]
    // float64 holds every int32, so the quotient of whole numbers is floored exactly
    const inner: GraphDtype = upcast(a, b) === 'float32' ? 'float32' : 'float64'
    const quotient = graph.elementwise('Div', [cast(graph, a, inner), cast(graph, b, inner)], inner)
    return cast(graph, graph.elementwise('Floor', [quotient], inner), 'int32')
  },
  AddN: ({ graph, operands }) => operands.reduce((sum, value) => add(graph, sum, value)),
  Equal: comparison('Equal'),
  NotEqual: (call) => call.graph.elementwise('Not', [comparison('Equal')(call) as Value], 'bool'),
  Less: comparison('Less'),
  LessEqual: comparison('LessOrEqual'),
  Greater: comparison('Greater'),
  GreaterEqual: comparison('GreaterOrEqual'),
  LogicalAnd: logical('And'),
  LogicalOr: logical('Or'),
  LogicalXor: logical('Xor'),
  Select: ({ graph, operand }) => {
    const [condition, t, e] = [operand('condition'), operand('t'), operand('e')]
    const dtype = hostDtype(upcast(t, e))
    const lead = condition.shape.length === 1 ? t.shape.slice(1).map(() => 1) : []
    const aligned = graph.reshape(cast(graph, condition, 'bool'), [...condition.shape, ...lead])
    return graph.broadcast(select(graph, aligned, cast(graph, t, dtype), cast(graph, e, dtype)), t.shape)
  },
}

/** The remainder with the divisor's sign, as TF.js has it. */
function modulo(graph: Graph, a: Value, b: Value): Value {
  if (a.dtype !== 'float32') return graph.elementwise('Mod', [a, b], a.dtype)
  const floor = graph.elementwise('Floor', [divide(graph, a, b)], 'float32')
  return subtract(graph, a, multiply(graph, floor, b))
}

/** Small constant exponents become products: the native Pow is some fifty times slower than a multiplication. */
function power(graph: Graph, a: Value, b: Value): Value {
  const exponent = splatOf(b)
  const like = (value: Value) => multiply(graph, value, graph.splat(1, a.dtype, b.shape))
  if (exponent === 0) return graph.splat(1, a.dtype, like(a).shape)
  if (exponent === 1) return like(a)
  if (exponent === 2) return like(multiply(graph, a, a))
  if (exponent === 3) return like(multiply(graph, multiply(graph, a, a), a))
  if (a.dtype !== 'float32') return graph.elementwise('Pow', [a, b], a.dtype)
  if (exponent === -1) return like(graph.elementwise('Reciprocal', [a], 'float32'))
  if (exponent === 0.5) return like(graph.elementwise('Sqrt', [a], 'float32'))
  return graph.elementwise('Pow', [a, b], 'float32')
}
