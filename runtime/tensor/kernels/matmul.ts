import type { Graph, Value } from '../graph.js'
import { broadcastShape, sizeOf } from '../shapes.js'
import { transposition } from './layout.js'
import { type Lowerings, untraceable } from './lowering.js'

interface Factor {
  readonly value: Value
  readonly transposed: boolean
}

/** Matrix products: `Gemm` where there is one matrix on the right, the fused batched product elsewhere. */
export const matmul: Lowerings = {
  BatchMatMul: ({ graph, operand, attrs }) =>
    product(graph, factor(operand('a'), attrs.transposeA === true), factor(operand('b'), attrs.transposeB === true)),
}

function product(graph: Graph, a: Factor, b: Factor): Value {
  const [batchA, batchB] = [a, b].map((f) => f.value.shape.slice(0, -2)) as [number[], number[]]
  const [m, k] = matrix(a)
  const [inner, n] = matrix(b)
  if (k !== inner)
    throw untraceable(`the product of [${a.value.shape}] and [${b.value.shape}], whose inner sizes differ,`)
  const shape = [...broadcastShape([batchA, batchB]), m, n]
  const countA = sizeOf(batchA)
  const isFlat = sizeOf(batchB) === 1 && (countA === 1 || !a.transposed)
  if (isFlat) {
    const left = graph.reshape(a.value, a.transposed ? [k, m] : [countA * m, k])
    const right = graph.reshape(b.value, b.transposed ? [n, k] : [k, n])
    const attributes = { transA: { int: a.transposed ? 1 : 0 }, transB: { int: b.transposed ? 1 : 0 } }
    return graph.reshape(graph.apply('Gemm', [left, right], 'float32', [countA * m, n], attributes), shape)
  }
  if (!a.transposed && !b.transposed) return graph.apply('MatMul', [a.value, b.value], 'float32', shape)
  const attributes = { transA: { int: a.transposed ? 1 : 0 }, transB: { int: b.transposed ? 1 : 0 } }
  return graph.apply('FusedMatMul', [a.value, b.value], 'float32', shape, attributes, 'com.microsoft')
}

/** Takes a transposition of the last two axes into the product. */
function factor(value: Value, transposed: boolean): Factor {
  const inner = transposition(value)
  const rank = value.shape.length
  const swapsLast = inner?.perm.every((axis, i) => axis === (i < rank - 2 ? i : 2 * rank - 3 - i))
  return inner && swapsLast ? { value: inner.x, transposed: !transposed } : { value, transposed }
}

/** Rows and columns as the product sees them. */
function matrix({ value, transposed }: Factor): [number, number] {
  const [rows, columns] = value.shape.slice(-2) as [number, number]
  return transposed ? [columns, rows] : [rows, columns]
}
