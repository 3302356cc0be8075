import { TroupeError } from '../kernel/errors.js'
import type { Backend, DeviceTensor, HostDtype, HostTensor, KeptRun, OutputArrays, TensorInput } from './compile.js'
import { sizeOf } from './shapes.js'

const arrays = { float32: Float32Array, int32: Int32Array, bool: Uint8Array } as const

/** Refuses inputs that cannot be what they say: `E_COMPILE` names the function and the input. */
export function checkInputs(name: string, inputs: readonly TensorInput[]): void {
  inputs.forEach((input, index) => {
    const problem = 'read' in input ? undefined : problemOf(input)
    if (!problem) return
    const { message, hint } = problem
    throw new TroupeError('E_COMPILE', `${name}: input ${index} ${message}`, { hint })
  })
}

function problemOf({ dtype, shape, data }: HostTensor): { message: string; hint?: string } | undefined {
  const wanted = arrays[dtype as HostDtype] as (typeof arrays)[HostDtype] | undefined
  if (!wanted) return { message: `has dtype '${dtype}'`, hint: `Use one of ${Object.keys(arrays).join(', ')}` }
  if (!(data instanceof wanted))
    return { message: `is ${dtype} but its data is a ${kindOf(data)}`, hint: `Give a ${wanted.name}` }
  if (!shape.every((dim) => Number.isInteger(dim) && dim >= 0)) return { message: `has shape [${shape.join(', ')}]` }
  if (data.length !== sizeOf(shape))
    return { message: `has ${data.length} elements where shape [${shape.join(', ')}] needs ${sizeOf(shape)}` }
  if (data.buffer instanceof SharedArrayBuffer)
    return {
      message: 'is a view of shared memory, which native code cannot take',
      hint: 'Copy it into an array of its own once: a weight store does that with follow()',
    }
  return undefined
}

function kindOf(data: unknown): string {
  return (data as object | null)?.constructor?.name ?? String(data)
}

/** Two tuples of inputs with the same key run the same graph. */
export function specKey(inputs: readonly HostTensor[]): string {
  return inputs.map((input) => `${input.dtype}[${input.shape}]`).join(' ')
}

/** A tensor of a backend whose device is the host: nothing moves. */
class HostResident implements DeviceTensor, HostTensor {
  readonly dtype: HostDtype
  readonly shape: readonly number[]
  readonly data: HostTensor['data']
  readonly backend: Backend

  constructor(backend: Backend, { dtype, shape, data }: HostTensor) {
    this.backend = backend
    this.dtype = dtype
    this.shape = shape
    this.data = data
  }

  async read(): Promise<HostTensor> {
    return { dtype: this.dtype, shape: this.shape, data: this.data.slice() }
  }

  dispose(): void {}
}

export function hostResident(backend: Backend, tensor: HostTensor): DeviceTensor {
  return new HostResident(backend, tensor)
}

/** The inputs of a backend whose device is the host. Throws `E_COMPILE` for a tensor that lives elsewhere. */
export function onHost(name: string, inputs: readonly TensorInput[]): HostTensor[] {
  return inputs.map((input, index) => {
    if ('data' in input) return input
    throw new TroupeError('E_COMPILE', `${name}: input ${index} lives on ${input.backend}`, {
      hint: 'Read it first, or compile the function for that backend',
    })
  })
}

/** Parts the outputs of a backend whose device is the host. */
export function keepOnHost(backend: Backend, outputs: readonly HostTensor[], kept: ReadonlySet<number>): KeptRun {
  return {
    host: outputs.filter((_, index) => !kept.has(index)),
    kept: outputs.flatMap((output, index) => (kept.has(index) ? [hostResident(backend, output)] : [])),
  }
}

/** Moves outputs into the arrays given for them. Throws `E_COMPILE` where one is of the wrong type or size. */
export function writeInto(name: string, outputs: HostTensor[], into: OutputArrays | undefined): HostTensor[] {
  for (const [index, array] of into ?? []) {
    const output = outputs[index]
    if (!output || array.constructor !== output.data.constructor || array.length !== output.data.length)
      throw new TroupeError('E_COMPILE', `${name}: output ${index} does not fit the array given for it`, {
        hint: output && `It is ${output.dtype} of shape [${output.shape.join(', ')}]`,
      })
    array.set(output.data as never)
    outputs[index] = { ...output, data: array }
  }
  return outputs
}
