import * as tf from '@tensorflow/tfjs-core'
import { sizeOf } from '../shapes.js'

type Info = tf.TensorInfo
interface Call {
  readonly inputs: Readonly<Record<string, Info>>
  readonly backend: tf.KernelBackend
  readonly attrs: Readonly<Record<string, unknown>>
}

/** Puts compositions where TF.js's WebGPU kernels would read the device synchronously, or bind more than a device has. */
export function completeKernels(): void {
  replace('Tile', tile)
  replace('AddN', addN)
}

function replace(kernelName: string, composition: (original: (call: Call) => Info, call: Call) => Info): void {
  const { kernelFunc } = tf.getKernel(kernelName, 'webgpu')
  const original = kernelFunc as unknown as (call: Call) => Info
  tf.unregisterKernel(kernelName, 'webgpu')
  const made = (call: Call) => composition(original, call)
  tf.registerKernel({ kernelName, backendName: 'webgpu', kernelFunc: made as unknown as tf.KernelFunc })
}

/** TF.js's program ends at rank 4. Repeating [outer, dim, inner] along its middle is repeating [outer, dim · inner]. */
function tile(original: (call: Call) => Info, call: Call): Info {
  const x = call.inputs.x as Info
  if (x.shape.length < 5) return original(call)
  const { backend } = call
  const reps = call.attrs.reps as number[]
  let result = x
  const shape = [...x.shape]
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const times = reps[axis] as number
    if (times === 1 && (axis > 0 || result !== x)) continue
    const flat = { ...result, shape: [sizeOf(shape.slice(0, axis)), sizeOf(shape.slice(axis))] }
    const wider = original({ inputs: { x: flat }, backend, attrs: { reps: [1, times] } })
    if (result !== x) backend.disposeData(result.dataId)
    shape[axis] = (shape[axis] as number) * times
    result = { ...wider, shape: [...shape] }
  }
  return result
}

/** Each operand is a storage buffer, and a shader may have 8 of them where nothing more was asked for; one is the sum. */
const MOST_OPERANDS = 7

function addN(original: (call: Call) => Info, call: Call): Info {
  const operands = call.inputs as unknown as Info[]
  const { backend } = call
  let at = Math.min(MOST_OPERANDS, operands.length)
  const of = (inputs: Info[]) => original({ ...call, inputs: inputs as never })
  let total = of(operands.slice(0, at))
  while (at < operands.length) {
    const wider = of([total, ...operands.slice(at, at + MOST_OPERANDS - 1)])
    backend.disposeData(total.dataId)
    total = wider
    at += MOST_OPERANDS - 1
  }
  return total
}
