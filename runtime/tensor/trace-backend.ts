import * as tf from '@tensorflow/tfjs-core'
import { assert, TroupeError } from '../kernel/errors.js'
import type { HostDtype, TensorFunction } from './compile.js'
import { Graph, type Value } from './graph.js'
import { lowerings } from './kernels/index.js'
import { hostDtype, type Lowering, untraceable } from './kernels/lowering.js'
import type { Shape } from './shapes.js'
import { callerLine, withDeepStack } from './stack.js'
import { onBackend } from './tidy.js'

const BACKEND = 'troupe-trace'
/** Below every real backend, so that TF.js never chooses it by itself. */
const PRIORITY = -1000

export interface InputSpec {
  readonly dtype: HostDtype
  readonly shape: Shape
}

export interface Trace {
  readonly graph: Graph
  readonly outputs: readonly Value[]
}

/** A backend that computes nothing: its tensors are values of the graph under construction. */
class TraceBackend extends tf.KernelBackend {
  graph: Graph | undefined
  readonly values = new WeakMap<object, Value>()
  private readonly references = new Map<object, number>()

  hold(value: Value): { dataId: object; shape: number[]; dtype: HostDtype } {
    const dataId = {}
    this.values.set(dataId, value)
    this.references.set(dataId, 1)
    return { dataId, shape: [...value.shape], dtype: value.dtype as HostDtype }
  }

  /** The value of a tensor; one of another backend becomes a constant of the graph. */
  lookup(tensor: tf.TensorInfo): Value {
    const value = this.values.get(tensor.dataId)
    if (value) return value
    if (tensor instanceof tf.Variable)
      throw new TroupeError('E_COMPILE', `the variable '${tensor.name}' was made outside of the traced function`, {
        hint: 'Its value would be frozen into the graph: pass weights as inputs',
      })
    const data = tf.engine().readSync(tensor.dataId) as Float32Array
    return this.current().constant(data.slice(), hostDtype(tensor.dtype), tensor.shape)
  }

  current(): Graph {
    assert(this.graph, 'the tracing backend works only inside of a trace')
    return this.graph
  }

  override write(values: tf.BackendValues, shape: number[], dtype: tf.DataType): object {
    const type = hostDtype(dtype)
    const ArrayType = type === 'float32' ? Float32Array : type === 'int32' ? Int32Array : Uint8Array
    const data = ArrayType.from(values as Float32Array)
    return this.hold(this.current().constant(data, type, shape)).dataId
  }

  /** Constants can be read, as everywhere; what is only known when the graph runs cannot. */
  override readSync(dataId: object): tf.BackendValues {
    const value = this.values.get(dataId)
    const origin = value?.origin
    if (origin?.kind === 'constant' && !(origin.data instanceof BigInt64Array)) return origin.data.slice()
    if (value && origin?.kind === 'splat') {
      const size = value.shape.reduce((product, dim) => product * dim, 1)
      return (value.dtype === 'float32' ? new Float32Array(size) : new Int32Array(size)).fill(origin.value)
    }
    throw new TroupeError('E_COMPILE', 'dataSync: a traced function cannot read the value of a tensor', {
      where: callerLine(),
      hint: 'The graph must not depend on data: use tf.where, or read the value outside of the function',
    })
  }

  override read(dataId: object): Promise<tf.BackendValues> {
    return new Promise((resolve) => resolve(this.readSync(dataId)))
  }

  override disposeData(dataId: object, force = false): boolean {
    const left = (this.references.get(dataId) ?? 0) - 1
    if (left > 0 && !force) {
      this.references.set(dataId, left)
      return false
    }
    this.references.delete(dataId)
    return true
  }

  override incRef(dataId: object): void {
    this.references.set(dataId, this.refCount(dataId) + 1)
  }

  override refCount(dataId: object): number {
    return this.references.get(dataId) ?? 0
  }

  override numDataIds(): number {
    return this.references.size
  }

  override memory() {
    return { unreliable: false }
  }

  override floatPrecision(): 16 | 32 {
    return 32
  }

  override epsilon(): number {
    return 1e-7
  }

  override timerAvailable(): boolean {
    return false
  }

  override dispose(): void {
    this.references.clear()
  }
}

let backend: TraceBackend | undefined

/** Records what `fn` computes from inputs of the given shapes. The backend that was active is active again after. */
export function trace(fn: TensorFunction, inputs: readonly InputSpec[], threads: number): Trace {
  backend ??= register()
  const tracer = backend
  const graph = new Graph(threads)
  tracer.graph = graph
  try {
    const outputs = withDeepStack(() =>
      onBackend(BACKEND, () => {
        const placeholders = inputs.map((spec) => {
          const held = tracer.hold(graph.input(spec.dtype, spec.shape))
          return tf.engine().makeTensorFromTensorInfo(held, tracer) as tf.Tensor
        })
        return fn(placeholders).map((tensor) => graph.dense(tracer.lookup(tensor)))
      }),
    )
    return { graph, outputs }
  } finally {
    tracer.graph = undefined
  }
}

function register(): TraceBackend {
  const made = new TraceBackend()
  tf.registerBackend(BACKEND, () => made, PRIORITY)
  const others = tf.getKernelsForBackend('cpu').map((kernel) => kernel.kernelName)
  for (const kernelName of new Set([...others, ...Object.keys(lowerings)])) {
    const kernelFunc = kernelOf(made, kernelName, lowerings[kernelName])
    tf.registerKernel({ kernelName, backendName: BACKEND, kernelFunc })
  }
  return made
}

function kernelOf(tracer: TraceBackend, name: string, lowering: Lowering | undefined): tf.KernelFunc {
  return ({ inputs, attrs }) => {
    try {
      if (!lowering) throw untraceable('this kernel')
      const operands = (Array.isArray(inputs) ? inputs : Object.values(inputs)) as tf.TensorInfo[]
      const made = lowering({
        graph: tracer.current(),
        operand: (key) => tracer.lookup(inputs[key] as tf.TensorInfo),
        operands: operands.filter(Boolean).map((tensor) => tracer.lookup(tensor)),
        attrs: (attrs ?? {}) as Record<string, unknown>,
      })
      return Array.isArray(made) ? made.map((value) => tracer.hold(value)) : tracer.hold(made)
    } catch (error) {
      if (!(error instanceof TroupeError)) throw error
      throw new TroupeError('E_COMPILE', `${name}: ${error.message}`, {
        where: error.where ?? callerLine(),
        hint: error.hint,
        cause: error.cause,
      })
    }
  }
}
