import type { Tensor } from '@tensorflow/tfjs-core'
import { TroupeError } from '../kernel/errors.js'
import { hostResident } from './host.js'
import { nativeRun } from './native-guard.js'

export type HostDtype = 'float32' | 'int32' | 'bool'

/** A tensor outside of any backend: it may cross threads. `data.length` is the product of `shape`. */
export interface HostTensor {
  readonly dtype: HostDtype
  readonly shape: readonly number[]
  readonly data: Float32Array | Int32Array | Uint8Array
}

/**
 * `onnx` traces a function to native graphs; the others run it eagerly: `tensorflow` and `webgpu` on their device, `cpu` in
 * JavaScript (the oracle).
 */
export const backends = ['onnx', 'tensorflow', 'webgpu', 'cpu'] as const
export type Backend = (typeof backends)[number]

/** A tensor that stays where its backend computes, between calls of functions compiled for that backend in this thread. */
export interface DeviceTensor {
  readonly backend: Backend
  readonly dtype: HostDtype
  readonly shape: readonly number[]
  /** A copy on the host. */
  read(): Promise<HostTensor>
  /** Frees it; using it after is an `E_COMPILE`. Twice does no harm. */
  dispose(): void
}

export type TensorInput = HostTensor | DeviceTensor

/** Arrays that outputs are to be written into, by the output's index; each of the output's type and size. */
export type OutputArrays = ReadonlyMap<number, HostTensor['data']>

/** Outputs of one call: those asked for stay on the device, in the order of their indices, the others come to the host. */
export interface KeptRun {
  readonly host: HostTensor[]
  readonly kept: DeviceTensor[]
}

export interface CompileOptions {
  /** Shows in errors and traces. */
  readonly name: string
  /** Default `onnx`. */
  readonly backend?: Backend
  /** Native threads inside one call; default 1 (actors are the parallelism). */
  readonly threads?: number
  /** Graphs kept, one per tuple of input shapes; the least recently used is released. Default 16. */
  readonly maxGraphs?: number
}

/** A TF.js function with the same meaning on every backend. Gradients taken inside (`tf.grads`) are part of the graph. */
export interface Compiled {
  /** `E_COMPILE` names the op that cannot be traced, or the input whose shape or dtype is wrong. */
  run(inputs: readonly TensorInput[], into?: OutputArrays): Promise<HostTensor[]>
  /** As `run`, but the outputs whose indices are in `kept` stay on the device. The caller disposes of them. */
  runKept(inputs: readonly TensorInput[], kept: ReadonlySet<number>): Promise<KeptRun>
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
    opened = (await nativeRun(() => load(options.backend ?? 'onnx')))(fn, options)
    return opened
  }
  const ready = () => {
    if (disposed) throw new TroupeError('E_COMPILE', `${options.name}: run after dispose`)
    opening ??= open()
    return opening
  }
  return {
    get stats() {
      return opened?.stats ?? { graphs: 0, compileMs: 0 }
    },
    run: async (inputs, into) => (await ready()).run(inputs, into),
    runKept: async (inputs, kept) => (await ready()).runKept(inputs, kept),
    async dispose() {
      disposed = true
      const compiled = await opening?.catch(() => undefined)
      await compiled?.dispose()
    },
  }
}

/**
 * Puts tensors on a backend's device, to be given to functions compiled for it. On `onnx` and `cpu` nothing is copied:
 * what is later written into `data` is seen there, on a device it is not. The caller disposes of them.
 */
export async function upload(tensors: readonly HostTensor[], backend: Backend): Promise<DeviceTensor[]> {
  if (tensors.length === 0) return []
  if (backend === 'onnx' || backend === 'cpu') return tensors.map((tensor) => hostResident(backend, tensor))
  const same = compile((inputs) => inputs, { name: 'upload', backend })
  return (await same.runKept(tensors, new Set(tensors.keys()))).kept
}

/** A backend is loaded when it first computes: an actor that waits for weights starts without its libraries. */
async function load(backend: Backend) {
  try {
    const { registerGradients } = await import('./gradients/index.js')
    registerGradients()
    if (backend === 'webgpu') return await (await import('./backends/webgpu.js')).openWebgpu()
    if (backend === 'tensorflow') return await (await import('./backends/tensorflow.js')).openTensorflow()
    if (backend === 'cpu') return (await import('./cpu.js')).compileForCpu
    return (await import('./onnx.js')).compileForOnnx
  } catch (cause) {
    if (cause instanceof TroupeError) throw cause
    const hint = 'troupe doctor tells what is missing'
    throw new TroupeError('E_BACKEND', `the ${backend} backend does not load`, { cause, hint })
  }
}
