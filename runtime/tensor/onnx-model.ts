import protobuf from 'protobufjs/light.js'
import type { Attribute, ConstantData, Graph, GraphDtype, Operation, Value } from './graph.js'
import { messages } from './onnx-messages.js'
import { type Shape, sizeOf } from './shapes.js'
import { type Rewrites, simplify } from './simplify.js'

const OPSET = 18
const IR_VERSION = 8
const MICROSOFT_OPSET = 1
const DTYPE: Record<GraphDtype, number> = { float32: 1, int32: 6, int64: 7, bool: 9, float64: 11 }

const modelType = protobuf.Root.fromJSON(messages).lookupType('ModelProto')

export const inputName = (index: number | string) => `in_${index}`
export const outputName = (index: number) => `out_${index}`

/** Serialises what `outputs` need of a graph as an ONNX model; operations that nothing needs are left out. */
export function encodeModel(graph: Graph, outputs: readonly Value[], name: string): Uint8Array {
  const named = new Map<Value, string>(graph.inputs.map((value, i) => [value, inputName(i)]))
  const tail = outputs.flatMap((value, i) => {
    if (value.origin.kind === 'operation' && !named.has(value)) {
      named.set(value, outputName(i))
      return []
    }
    return [{ value, index: i }]
  })
  const nameOf = (value: Value) => named.get(value) ?? `v${value.id}`
  const rewrites = simplify(reachable(outputs, new Map()).operations, outputs)
  const { operations, constants } = reachable(outputs, rewrites)
  const node = operations.map((operation) => ({
    input: operation.inputs.map(nameOf),
    output: operation.outputs.map(nameOf),
    opType: operation.op,
    attribute: Object.entries(operation.attributes).map(([key, value]) => attribute(key, value)),
    ...(operation.domain ? { domain: operation.domain } : {}),
  }))
  const copies = tail.map(({ value, index }) => ({
    input: [nameOf(value)],
    output: [outputName(index)],
    opType: 'Identity',
  }))
  const message = {
    irVersion: IR_VERSION,
    producerName: 'troupe',
    opsetImport: [
      { domain: '', version: OPSET },
      { domain: 'com.microsoft', version: MICROSOFT_OPSET },
    ],
    graph: {
      name,
      node: [...node, ...copies],
      initializer: constants.map((value) => initialiser(nameOf(value), value)),
      input: graph.inputs.map((value, i) => valueInfo(inputName(i), value)),
      output: outputs.map((value, i) => valueInfo(outputName(i), value)),
    },
  }
  return modelType.encode(message).finish()
}

/** Operations in an order in which they can run, and the constants they read. Iterative: gradients are deep. */
function reachable(outputs: readonly Value[], rewrites: Rewrites): { operations: Operation[]; constants: Value[] } {
  const operations = new Set<Operation>()
  const constants = new Set<Value>()
  const stack = outputs.toReversed()
  const current = (operation: Operation) => rewrites.get(operation) ?? operation
  while (stack.length > 0) {
    const value = stack.pop() as Value
    if (value.origin.kind === 'constant' || value.origin.kind === 'splat') constants.add(value)
    if (value.origin.kind !== 'operation') continue
    const operation = current(value.origin.operation)
    if (operations.has(operation)) continue
    const waiting = operation.inputs.filter((input) => {
      const { origin } = input
      return origin.kind === 'operation'
        ? !operations.has(current(origin.operation))
        : origin.kind !== 'input' && !constants.has(input)
    })
    if (waiting.length > 0) stack.push(value, ...waiting.toReversed())
    else operations.add(operation)
  }
  return { operations: [...operations], constants: [...constants] }
}

function attribute(name: string, value: Attribute): object {
  if ('int' in value) return { name, type: 2, i: value.int }
  if ('float' in value) return { name, type: 1, f: value.float }
  if ('ints' in value) return { name, type: 7, ints: value.ints }
  if ('string' in value) return { name, type: 3, s: Buffer.from(value.string) }
  return { name, type: 4, t: tensor('', value.dtype, [1], filled(value.fill, value.dtype, 1)) }
}

function initialiser(name: string, value: Value): object {
  if (value.origin.kind === 'constant') return tensor(name, value.dtype, value.shape, value.origin.data)
  const fill = value.origin.kind === 'splat' ? value.origin.value : 0
  return tensor(name, value.dtype, value.shape, filled(fill, value.dtype, sizeOf(value.shape)))
}

function filled(value: number, dtype: GraphDtype, size: number): ConstantData | Float64Array {
  if (dtype === 'float32') return new Float32Array(size).fill(value)
  if (dtype === 'float64') return new Float64Array(size).fill(value)
  if (dtype === 'int32') return new Int32Array(size).fill(value)
  return dtype === 'bool' ? new Uint8Array(size).fill(value) : new BigInt64Array(size).fill(BigInt(value))
}

function tensor(name: string, dtype: GraphDtype, dims: Shape, data: ConstantData | Float64Array): object {
  const rawData = new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  return { name, dims, dataType: DTYPE[dtype], rawData }
}

function valueInfo(name: string, value: Value): object {
  const dim = value.shape.map((dimValue) => ({ dimValue }))
  return { name, type: { tensorType: { elemType: DTYPE[value.dtype], shape: { dim } } } }
}
