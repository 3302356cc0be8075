import { TroupeError } from '../kernel/errors.js'
import type { HostDtype, HostTensor } from './compile.js'
import { sizeOf } from './shapes.js'

const arrays = { float32: Float32Array, int32: Int32Array, bool: Uint8Array } as const

/** Refuses inputs that cannot be what they say: `E_COMPILE` names the function and the input. */
export function checkInputs(name: string, inputs: readonly HostTensor[]): void {
  inputs.forEach((input, index) => {
    const problem = problemOf(input)
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
