import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-backend-cpu'
import type { Compiled, CompileOptions, HostTensor, TensorFunction, TensorInput } from './compile.js'
import { asCompileError, checkOutputs, dataError } from './failure.js'
import { checkInputs, keepOnHost, onHost, writeInto } from './host.js'
import { hostDtype } from './kernels/lowering.js'
import { onBackend } from './tidy.js'

/** The oracle: `fn` run eagerly by TF.js's JavaScript backend, every tensor disposed of after. */
export function compileForCpu(fn: TensorFunction, options: CompileOptions): Compiled {
  // TF.js greets Node users with a warning about its own native package at the first tensor
  Object.assign(tf.findBackend('cpu') ?? {}, { firstUse: false })
  function evaluate(given: readonly TensorInput[]): HostTensor[] {
    const inputs = onHost(options.name, given)
    checkInputs(options.name, inputs)
    try {
      return onBackend('cpu', () => {
        const tensors = inputs.map((input) => tf.tensor(input.data.slice(), [...input.shape], input.dtype))
        return checkOutputs(options.name, fn(tensors)).map(read)
      })
    } catch (error) {
      throw isDataError(error) ? dataError(options.name, error) : asCompileError(options.name, error)
    }
  }
  return {
    run: async (inputs, into) => writeInto(options.name, evaluate(inputs), into),
    runKept: async (inputs, kept) => keepOnHost('cpu', evaluate(inputs), kept),
    stats: { graphs: 0, compileMs: 0 },
    async dispose() {},
  }
}

/** TF.js checks indices as it computes. */
function isDataError(error: unknown): boolean {
  return error instanceof Error && /the index value .* is not in|Invalid indices/.test(error.message)
}

function read(tensor: tf.Tensor): HostTensor {
  const dtype = hostDtype(tensor.dtype)
  const data = tensor.dataSync()
  const copy =
    dtype === 'float32' ? Float32Array.from(data) : dtype === 'int32' ? Int32Array.from(data) : Uint8Array.from(data)
  return { dtype, shape: [...tensor.shape], data: copy }
}
