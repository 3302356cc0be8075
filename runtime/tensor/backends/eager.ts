import * as tf from '@tensorflow/tfjs-core'
import { TroupeError } from '../../kernel/errors.js'
import type {
  Backend,
  Compiled,
  CompileOptions,
  DeviceTensor,
  HostTensor,
  KeptRun,
  TensorFunction,
  TensorInput,
} from '../compile.js'
import { asCompileError, checkOutputs, dataError } from '../failure.js'
import { checkInputs, writeInto } from '../host.js'
import { hostDtype } from '../kernels/lowering.js'
import { nativeRun } from '../native-guard.js'
import { onBackend } from '../tidy.js'

/** A TF.js backend whose tensors live on a device. Registered under the name that Troupe has for it. */
export interface EagerDevice {
  readonly backend: Backend
  /** Whether `error`, raised by a kernel, speaks of the data and not of the function. */
  isDataError(error: unknown): boolean
  /** What the device has reported since the last look, apart from any call; throws it as an `E_BACKEND`. */
  check(): void
}

const NONE: ReadonlySet<number> = new Set()

/**
 * `fn` run by TF.js's own kernels, on the device. A call computes without giving way to another one, then waits for what
 * is to be read: calls of one thread, of however many functions, take effect in the order in which they were made.
 */
export function compileEagerly(device: EagerDevice) {
  return (fn: TensorFunction, options: CompileOptions): Compiled => {
    const { name } = options

    function compute(inputs: readonly TensorInput[]): tf.Tensor[] {
      checkInputs(name, inputs)
      const resident = inputs.map((input, index) =>
        'data' in input ? undefined : tensorOf(name, device, input, index),
      )
      try {
        return onBackend(device.backend, () => {
          const tensors = inputs.map((input, index) => resident[index] ?? uploaded(input as HostTensor))
          // clones, because an input or the same tensor twice may be among the outputs
          return checkOutputs(name, fn(tensors)).map((output) => tf.keep(tf.clone(output)))
        })
      } catch (error) {
        throw device.isDataError(error) ? dataError(name, error) : asCompileError(name, error)
      }
    }

    async function evaluate(inputs: readonly TensorInput[], kept: ReadonlySet<number>): Promise<KeptRun> {
      const outputs = compute(inputs)
      const [staying, leaving] = [true, false].map((stays) => outputs.filter((_, index) => kept.has(index) === stays))
      try {
        const host = await Promise.all((leaving as tf.Tensor[]).map(read))
        device.check()
        return { host, kept: (staying as tf.Tensor[]).map((tensor) => new Resident(device, tensor)) }
      } catch (error) {
        tf.dispose(staying as tf.Tensor[])
        throw error instanceof TroupeError ? error : dataError(name, error)
      } finally {
        tf.dispose(leaving as tf.Tensor[])
      }
    }

    return {
      run: async (inputs, into) => writeInto(name, (await nativeRun(() => evaluate(inputs, NONE))).host, into),
      runKept: (inputs, kept) => nativeRun(() => evaluate(inputs, kept)),
      stats: { graphs: 0, compileMs: 0 },
      async dispose() {},
    }
  }
}

/** Copied, because backends upload when a kernel first needs the data, and compute on small tensors where they lie. */
function uploaded(input: HostTensor): tf.Tensor {
  return tf.tensor(input.data.slice(), [...input.shape], input.dtype)
}

async function read(tensor: tf.Tensor): Promise<HostTensor> {
  // copied, because backends keep what was read
  const data = (await tensor.data()).slice() as HostTensor['data']
  return { dtype: hostDtype(tensor.dtype), shape: [...tensor.shape], data }
}

class Resident implements DeviceTensor {
  readonly backend: Backend
  readonly dtype: DeviceTensor['dtype']
  readonly shape: readonly number[]
  readonly #device: EagerDevice
  readonly #tensor: tf.Tensor

  constructor(device: EagerDevice, tensor: tf.Tensor) {
    this.backend = device.backend
    this.dtype = hostDtype(tensor.dtype)
    this.shape = [...tensor.shape]
    this.#device = device
    this.#tensor = tensor
  }

  get tensor(): tf.Tensor {
    if (!this.#tensor.isDisposed) return this.#tensor
    throw new TroupeError('E_COMPILE', `a ${this.backend} tensor of shape [${this.shape.join(', ')}] was disposed of`)
  }

  async read(): Promise<HostTensor> {
    const host = await read(this.tensor)
    this.#device.check()
    return host
  }

  dispose(): void {
    this.#tensor.dispose()
  }
}

/** The tensor behind an input that is said to live on the device. */
function tensorOf(name: string, device: EagerDevice, input: DeviceTensor, index: number): tf.Tensor {
  if (input instanceof Resident && input.backend === device.backend) {
    try {
      return input.tensor
    } catch (error) {
      throw asCompileError(name, error)
    }
  }
  throw new TroupeError('E_COMPILE', `${name}: input ${index} lives on ${input.backend}`, {
    hint: 'Read it first, or compile the function for that backend',
  })
}
