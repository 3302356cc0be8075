import type { Attribute, Operation, Value } from './graph.js'
import { sameShape } from './shapes.js'

/** What stands in for an operation; its results keep their identity. */
export type Rewrites = ReadonlyMap<Operation, Operation>

const MICROSOFT = 'com.microsoft'
const PRODUCTS = new Set(['Gemm', 'MatMul', 'FusedMatMul'])

/**
 * Finds what matrix products can take over for free: a factor that is one number (`alpha`), and the addition of a matrix or
 * a row of the result's width (`Gemm`'s third operand). `operations` are in an order in which they can run.
 */
export function simplify(operations: readonly Operation[], outputs: readonly Value[]): Rewrites {
  const rewrites = new Map<Operation, Operation>()
  const users = countUsers(operations, outputs)
  const current = (value: Value) => {
    const operation = operationOf(value)
    return operation && (rewrites.get(operation) ?? operation)
  }
  for (const operation of operations) {
    const made = PRODUCTS.has(operation.op)
      ? scaledOperands(operation)
      : operation.op === 'Mul'
        ? scaledProduct(operation, current, users)
        : operation.op === 'Add'
          ? addedTo(operation, current, users)
          : undefined
    if (made) rewrites.set(operation, made)
  }
  return rewrites
}

function countUsers(operations: readonly Operation[], outputs: readonly Value[]): Map<Value, number> {
  const users = new Map<Value, number>()
  for (const value of [...operations.flatMap(({ inputs }) => inputs), ...outputs])
    users.set(value, (users.get(value) ?? 0) + 1)
  return users
}

function operationOf(value: Value): Operation | undefined {
  return value.origin.kind === 'operation' ? value.origin.operation : undefined
}

/** `value` as another value times one number. */
function scaled(value: Value): { readonly of: Value; readonly by: number } | undefined {
  const operation = operationOf(value)
  if (operation?.op !== 'Mul' || value.dtype !== 'float32') return undefined
  const [a, b] = operation.inputs as [Value, Value]
  if (b.origin.kind === 'splat' && sameShape(a.shape, value.shape)) return { of: a, by: b.origin.value }
  if (a.origin.kind === 'splat' && sameShape(b.shape, value.shape)) return { of: b, by: a.origin.value }
  return undefined
}

/** ONNX Runtime has a faster way to multiply one row, and takes it only without a factor. */
function isRow(product: Operation): boolean {
  return product.outputs[0]?.shape.at(-2) === 1
}

/** (s·A)·B = s·(A·B). */
function scaledOperands(product: Operation): Operation | undefined {
  if (isRow(product)) return undefined
  const [a, b] = product.inputs.map((input) => scaled(input))
  if (!a && !b) return undefined
  const inputs = product.inputs.map((input, index) => [a, b][index]?.of ?? input)
  return withAlpha({ ...product, inputs }, (a?.by ?? 1) * (b?.by ?? 1))
}

/** s·(A·B), where nothing else wants A·B. */
function scaledProduct(
  operation: Operation,
  current: (value: Value) => Operation | undefined,
  users: ReadonlyMap<Value, number>,
): Operation | undefined {
  const factor = scaled(operation.outputs[0] as Value)
  const product = factor && current(factor.of)
  if (!product || !PRODUCTS.has(product.op) || product.inputs.length > 2 || isRow(product)) return undefined
  if (users.get(factor.of) !== 1) return undefined
  return withAlpha({ ...product, outputs: operation.outputs }, factor.by)
}

/** C + A·B, where nothing else wants A·B. */
function addedTo(
  operation: Operation,
  current: (value: Value) => Operation | undefined,
  users: ReadonlyMap<Value, number>,
): Operation | undefined {
  const sum = operation.outputs[0] as Value
  for (const [at, other] of [1, 0].entries()) {
    const value = operation.inputs[at] as Value
    const added = operation.inputs[other] as Value
    const product = current(value)
    const takes = product?.op === 'Gemm' && product.inputs.length === 2 && users.get(value) === 1
    const fits = sameShape(value.shape, sum.shape) && added.shape.length > 0 && added.shape.length <= 2
    if (takes && fits) return { ...product, inputs: [...product.inputs, added], outputs: operation.outputs }
  }
  return undefined
}

function withAlpha(product: Operation, by: number): Operation {
  const before = (product.attributes.alpha as { readonly float: number } | undefined)?.float ?? 1
  const alpha: Attribute = { float: before * by }
  const fused = product.op === 'MatMul' ? { op: 'FusedMatMul', domain: MICROSOFT } : {}
  return { ...product, ...fused, attributes: { ...product.attributes, alpha } }
}
