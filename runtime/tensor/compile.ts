import type { Tensor } from '@tensorflow/tfjs-core'
import { TroupeError } from '../kernel/errors.js'

export type HostDtype = 'float32' | 'int32' | 'bool'

/** A tensor outside of any backend: it may cross threads. `data.length` is the product of `shape`. */
export interface HostTensor {
  readonly dtype: HostDtype
  readonly shape: readonly number[]
  readonly data: Float32Array | Int32Array | Uint8Array
}

export interface CompileOptions {
  /** Shows in errors and traces. */
  readonly name: string
  /** `onnx` traces to a native graph; `cpu` runs the function eagerly in JavaScript and is the oracle. Default `onnx`. */
  readonly backend?: 'onnx' | 'cpu'
  /** Native threads inside one call; default 1 (actors are the parallelism). */
  readonly threads?: number
  /** Graphs kept, one per tuple of input shapes; the least recently used is released. Default 16. */
  readonly maxGraphs?: number
}

/** A TF.js function with the same meaning on every backend. Gradients taken inside (`tf.grads`) are part of the graph. */
export interface Compiled {
  /** `E_COMPILE` names the op that cannot be traced, or the input whose shape or dtype is wrong. */
  run(inputs: readonly HostTensor[]): Promise<HostTensor[]>
  /** Graphs compiled so far, and milliseconds spent on it. */
  readonly stats: { readonly graphs: number; readonly compileMs: number }
  dispose(): Promise<void>
}

export type TensorFunction = (inputs: Tensor[]) => Tensor[]

/**
 * Makes `fn` callable on plain arrays. On `onnx` it runs once per tuple of input shapes and dtypes, to be recorded, and
 * never again: what it reads from outside (tensors, random numbers, flags) is frozen into the graph. It must be
 * synchronous, free of side effects, and must not read a tensor's value. Everything it allocates in TF.js is disposed of.
 *
 * @example
 * const square = compile(([x]) => [tf.square(x!)], { name: 'square' })
 * const [y] = await square.run([{ dtype: 'float32', shape: [2], data: Float32Array.of(1, 2) }])
 */
export function compile(fn: TensorFunction, options: CompileOptions): Compiled {
  let opening: Promise<Compiled> | undefined
  let opened: Compiled | undefined
  let disposed = false
  const open = async () => {
    opened = (await load(options.backend ?? 'onnx'))(fn, options)
    return opened
  }
  return {
    get stats() {
      return opened?.stats ?? { graphs: 0, compileMs: 0 }
    },
    async run(inputs) {
      if (disposed) throw new TroupeError('E_COMPILE', `${options.name}: run after dispose`)
      opening ??= open()
      return (await opening).run(inputs)
    },
    async dispose() {
      disposed = true
      const compiled = await opening?.catch(() => undefined)
      await compiled?.dispose()
    },
  }
}

/** A backend is loaded when it first computes: an actor that waits for weights starts without its libraries. */
async function load(backend: 'onnx' | 'cpu') {
  try {
    const { registerGradients } = await import('./gradients/index.js')
    registerGradients()
    if (backend === 'cpu') return (await import('./cpu.js')).compileForCpu
    return (await import('./onnx.js')).compileForOnnx
  } catch (cause) {
    const hint = 'troupe doctor tells what is missing'
    throw new TroupeError('E_BACKEND', `the ${backend} backend does not load`, { cause, hint })
  }
}
