import type { Graph, Value } from '../graph.js'
import { cast, compare, expm1, log1p, multiply, select, softplus } from './elementwise.js'
import { hostDtype, type Lowering, type Lowerings } from './lowering.js'

const x = 'x'

/** An operator that ONNX has for every dtype that TF.js calls it with. */
function plain(op: string): Lowering {
  return ({ graph, operand }) => graph.elementwise(op, [operand(x)], operand(x).dtype)
}

/** An operator on float32; whole numbers are converted first. */
function float(op: string): Lowering {
  return ({ graph, operand }) => graph.elementwise(op, [cast(graph, operand(x), 'float32')], 'float32')
}

function composed(work: (graph: Graph, x: Value) => Value): Lowering {
  return ({ graph, operand }) => work(graph, cast(graph, operand(x), 'float32'))
}

/** Rounding leaves whole numbers alone. */
function rounding(op: string): Lowering {
  return (call) => (call.operand(x).dtype === 'float32' ? float(op)(call) : call.operand(x))
}

function test(op: 'IsNaN' | 'IsInf'): Lowering {
  return ({ graph, operand }) => graph.elementwise(op, [cast(graph, operand(x), 'float32')], 'bool')
}

const names = ['Acos', 'Acosh', 'Asin', 'Asinh', 'Atan', 'Atanh', 'Cos', 'Cosh', 'Erf', 'Exp', 'Log', 'Sigmoid']
const floats = [...names, 'Sin', 'Sinh', 'Sqrt', 'Tan', 'Tanh', 'Reciprocal', 'Elu', 'Selu']

/** TF.js kernels of one operand that work element by element. */
export const unary: Lowerings = {
  ...Object.fromEntries(floats.map((op) => [op, float(op)])),
  Abs: plain('Abs'),
  Neg: plain('Neg'),
  Sign: plain('Sign'),
  LogicalNot: plain('Not'),
  Floor: rounding('Floor'),
  Ceil: rounding('Ceil'),
  Round: rounding('Round'),
  IsNan: test('IsNaN'),
  IsInf: test('IsInf'),
  IsFinite: ({ graph, operand }) => {
    const value = cast(graph, operand(x), 'float32')
    const isOdd = graph.elementwise(
      'Or',
      ['IsNaN', 'IsInf'].map((op) => graph.elementwise(op, [value], 'bool')),
      'bool',
    )
    return graph.elementwise('Not', [isOdd], 'bool')
  },
  Log1p: composed(log1p),
  Expm1: composed(expm1),
  Softplus: composed(softplus),
  Rsqrt: composed((graph, value) =>
    graph.elementwise('Reciprocal', [graph.elementwise('Sqrt', [value], 'float32')], 'float32'),
  ),
  Square: ({ graph, operand }) => multiply(graph, operand(x), operand(x)),
  Relu: ({ graph, operand }) => {
    const value = operand(x)
    if (value.dtype === 'float32') return graph.elementwise('Relu', [value], 'float32')
    return graph.elementwise('Max', [cast(graph, value, 'int32'), graph.splat(0, 'int32')], 'int32')
  },
  Relu6: ({ graph, operand }) => clip(graph, operand(x), 0, 6),
  LeakyRelu: ({ graph, operand, attrs }) =>
    graph.elementwise('LeakyRelu', [cast(graph, operand(x), 'float32')], 'float32', {
      alpha: { float: attrs.alpha as number },
    }),
  ClipByValue: ({ graph, operand, attrs }) =>
    clip(graph, operand(x), attrs.clipValueMin as number, attrs.clipValueMax as number),
  Step: ({ graph, operand, attrs }) => {
    const value = operand(x)
    const isPositive = compare(graph, 'Greater', value, graph.splat(0, value.dtype))
    const alpha = (attrs.alpha as number | undefined) ?? 0
    if (alpha === 0) return cast(graph, isPositive, value.dtype)
    return select(graph, isPositive, graph.splat(1, value.dtype), graph.splat(alpha, value.dtype))
  },
  EluGrad: ({ graph, operand }) => {
    const [dy, y] = [operand('dy'), operand('y')]
    const one = graph.splat(1, 'float32')
    const slope = graph.elementwise(
      'Add',
      [graph.elementwise('Min', [y, graph.splat(0, 'float32')], 'float32'), one],
      'float32',
    )
    return multiply(graph, dy, slope)
  },
  Prelu: ({ graph, operand }) => {
    const value = operand(x)
    const isNegative = compare(graph, 'Less', value, graph.splat(0, 'float32'))
    return select(graph, isNegative, multiply(graph, operand('alpha'), value), value)
  },
  Cast: ({ graph, operand, attrs }) => cast(graph, operand(x), hostDtype(attrs.dtype as string)),
  Identity: ({ operand }) => operand(x),
  ZerosLike: ({ graph, operand }) => graph.splat(0, operand(x).dtype, operand(x).shape),
  OnesLike: ({ graph, operand }) => graph.splat(1, operand(x).dtype, operand(x).shape),
}

function clip(graph: Graph, value: Value, low: number, high: number): Value {
  const bounds = [low, high].map((bound) => graph.splat(bound, value.dtype))
  return graph.elementwise('Clip', [value, ...bounds], value.dtype)
}
