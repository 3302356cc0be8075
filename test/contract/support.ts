import * as tf from '@tensorflow/tfjs-core'
import type { ExecutionContext } from 'ava'
import { TroupeError } from '../../runtime/kernel/errors.js'
import type { Backend, HostTensor, TensorFunction } from '../../runtime/tensor/index.js'
import { runOnce } from '../runtime/tensor/support.js'
import type { KernelCase } from './cases.js'

/**
 * Error that is allowed, relative to the greater of 1 and what is compared with, for float32; whole numbers and truth
 * values are exact. WGSL grants its functions more: a sine may be off by 2⁻¹¹, and quotients and powers by a few units.
 */
export const TOLERANCE: Readonly<Record<Backend, { forward: number; gradient: number }>> = {
  cpu: { forward: 1e-5, gradient: 5e-5 },
  onnx: { forward: 1e-5, gradient: 5e-5 },
  tensorflow: { forward: 1e-5, gradient: 5e-5 },
  webgpu: { forward: 1e-3, gradient: 2e-3 },
}

/** Whether the backend can be used here. Where it cannot, says why; that is a failure where `TROUPE_REQUIRE` names it. */
export async function isUsable(t: ExecutionContext, backend: Backend): Promise<boolean> {
  const one: HostTensor = { dtype: 'float32', shape: [1], data: Float32Array.of(1) }
  try {
    await runOnce((inputs) => inputs, [one], { backend })
    return true
  } catch (error) {
    if (!(error instanceof TroupeError) || error.code !== 'E_BACKEND') throw error
    t.log(`skipped: ${error.sentence()}`)
    t.false(process.env.TROUPE_REQUIRE?.split(',').includes(backend) ?? false, `TROUPE_REQUIRE asks for ${backend}`)
    return false
  }
}

const asList = (made: tf.Tensor | tf.Tensor[]) => (Array.isArray(made) ? made : [made])
const floats = (subject: KernelCase) => subject.inputs.flatMap(({ dtype }, i) => (dtype === 'float32' ? [i] : []))

/** Fixed weights with which outputs are added up, so that no direction is special. */
const weight = (output: number, i: number) => Math.sin(1.7 * i + output + 0.3)

export const forward =
  (subject: KernelCase): TensorFunction =>
  (inputs) =>
    asList(subject.fn(...(inputs as never[])))

function backward(subject: KernelCase): TensorFunction {
  const at = floats(subject)
  return (inputs) => {
    const loss = (...xs: tf.Tensor[]) => {
      const all = inputs.map((input, i) => xs[at.indexOf(i)] ?? input)
      const terms = asList(subject.fn(...(all as never[]))).map((output, o) => {
        const weights = Float32Array.from({ length: output.size }, (_, i) => weight(o, i))
        return tf.sum(tf.mul(tf.cast(output, 'float32'), tf.tensor(weights, output.shape)))
      })
      return tf.addN(terms)
    }
    return tf.grads(loss)(at.map((i) => inputs[i] as tf.Tensor))
  }
}

const STEP = 1e-5

/** Central differences of the reference, all in float64. */
function slopes(subject: KernelCase): number[][] {
  const inputs = subject.inputs.map(({ data }) => Array.from(data, Number))
  const lossAt = (input: number, i: number, change: number) => {
    const moved = inputs.map((xs, k) => (k === input ? xs.with(i, (xs[i] as number) + change) : xs))
    return subject.reference(...moved).reduce((total, ys, o) => ys.reduce((s, y, j) => s + y * weight(o, j), total), 0)
  }
  return floats(subject).map((input) =>
    (inputs[input] as number[]).map((_, i) => (lossAt(input, i, STEP) - lossAt(input, i, -STEP)) / (2 * STEP)),
  )
}

/** The first place where a backend's results or gradients leave the reference; undefined where they agree. */
export async function disagreement(subject: KernelCase, backend: Backend): Promise<string | undefined> {
  const { forward: close, gradient } = TOLERANCE[backend]
  const values = subject.reference(...subject.inputs.map(({ data }) => Array.from(data, Number)))
  const outputs = await runOnce(forward(subject), subject.inputs, { backend, name: subject.kernel })
  const wrong = differs(outputs, values, close)
  if (wrong || !subject.isSmooth) return wrong && `${subject.kernel} ${wrong}`
  const gradients = await runOnce(backward(subject), subject.inputs, { backend, name: `${subject.kernel} gradient` })
  const skewed = differs(gradients, slopes(subject), gradient)
  return skewed && `${subject.kernel} gradient ${skewed}`
}

function differs(actual: readonly HostTensor[], expected: readonly (readonly number[])[], tolerance: number) {
  if (actual.length !== expected.length) return `gives ${actual.length} outputs, not ${expected.length}`
  for (const [output, { data, dtype }] of actual.entries()) {
    const wanted = expected[output] as readonly number[]
    if (data.length !== wanted.length) return `gives ${data.length} elements, not ${wanted.length}`
    for (const [i, y] of wanted.entries()) {
      const allowed = dtype === 'float32' ? tolerance * Math.max(1, Math.abs(y)) : 0
      const x = data[i] as number
      if (!(Math.abs(x - y) <= allowed)) return `output ${output}, element ${i} is ${x}, not ${y}`
    }
  }
  return undefined
}

/** The kernels that TF.js calls for a case, on the JavaScript backend. */
export async function kernelsOf(subject: KernelCase): Promise<string[]> {
  await tf.setBackend('cpu')
  const profile = await tf.profile(() =>
    asList(subject.fn(...(subject.inputs.map((x) => tf.tensor(x.data.slice(), [...x.shape], x.dtype)) as never[]))),
  )
  return profile.kernelNames
}
