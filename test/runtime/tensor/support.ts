import * as tf from '@tensorflow/tfjs-core'
import type { ExecutionContext } from 'ava'
import {
  type Compiled,
  type CompileOptions,
  compile,
  type HostDtype,
  type HostTensor,
  type TensorFunction,
} from '../../../runtime/tensor/index.js'
import { seededRandom } from '../../../runtime/time/index.js'

type Generator = (i: number) => number

export function host(dtype: HostDtype, shape: readonly number[], generate: Generator): HostTensor {
  const length = shape.reduce((size, dim) => size * dim, 1)
  const numbers = Array.from({ length }, (_, i) => generate(i))
  const ArrayType = { float32: Float32Array, int32: Int32Array, bool: Uint8Array }[dtype]
  return { dtype, shape, data: new ArrayType(numbers) }
}

/** Standard normals from a stream that the shape and `seed` name. */
export function normal(shape: readonly number[], seed = 1): HostTensor {
  const random = seededRandom(seed, 'normal', ...shape)
  return host('float32', shape, () => random.normal())
}

/** Uniform in [low, high). */
export function uniform(low: number, high: number, shape: readonly number[], seed = 1): HostTensor {
  const random = seededRandom(seed, 'uniform', ...shape)
  return host('float32', shape, () => low + (high - low) * random.float())
}

export function whole(low: number, high: number, shape: readonly number[], seed = 1): HostTensor {
  const random = seededRandom(seed, 'whole', ...shape)
  return host('int32', shape, () => low + random.int(high - low))
}

export function truth(shape: readonly number[], seed = 1): HostTensor {
  const random = seededRandom(seed, 'truth', ...shape)
  return host('bool', shape, () => (random.chance(0.5) ? 1 : 0))
}

export interface Case {
  readonly name: string
  readonly inputs: readonly HostTensor[]
  readonly fn: (...inputs: never[]) => tf.Tensor | tf.Tensor[]
  /** Compares the gradient of every float32 input, too; default true. */
  readonly smooth?: boolean
}

/** Writes a case on one line: a name, the function, then its inputs. */
export function smooth(name: string, fn: Case['fn'], ...inputs: HostTensor[]): Case {
  return { name, fn, inputs }
}

export function flat(name: string, fn: Case['fn'], ...inputs: HostTensor[]): Case {
  return { name, fn, inputs, smooth: false }
}

export async function runOnce(fn: TensorFunction, inputs: readonly HostTensor[], options: Partial<CompileOptions>) {
  const compiled = compile(fn, { name: 'test', ...options })
  try {
    return await compiled.run(inputs)
  } finally {
    await compiled.dispose()
  }
}

const asList = (value: tf.Tensor | tf.Tensor[]) => (Array.isArray(value) ? value : [value])
const floats = (inputs: readonly HostTensor[]) => inputs.flatMap((input, i) => (input.dtype === 'float32' ? [i] : []))

function forward(subject: Case): TensorFunction {
  return (inputs) => asList(subject.fn(...(inputs as never[])))
}

/** Fixed weights with which the outputs are added up, so that no direction of the gradient is special. */
const weight = (output: number, i: number) => Math.sin(1.7 * i + output + 0.3)

/** Gradients of Σ weight · output with respect to every float32 input. */
function backward(subject: Case): TensorFunction {
  return (inputs) => {
    const at = floats(subject.inputs)
    const loss = (...xs: tf.Tensor[]) => {
      const all = inputs.map((input, i) => (at.includes(i) ? (xs[at.indexOf(i)] as tf.Tensor) : input))
      const terms = asList(subject.fn(...(all as never[]))).map((output, o) => {
        const weights = tf.tensor(
          Float32Array.from({ length: output.size }, (_, i) => weight(o, i)),
          output.shape,
        )
        return tf.sum(tf.mul(tf.cast(output, 'float32'), weights))
      })
      return tf.addN(terms)
    }
    return tf.grads(loss)(at.map((i) => inputs[i] as tf.Tensor))
  }
}

/** Asserts that `onnx` and `cpu` agree on a case's results and gradients, and the gradients with finite differences. */
export async function assertCase(t: ExecutionContext, subject: Case): Promise<void> {
  const functions = subject.smooth === false ? [forward(subject)] : [forward(subject), backward(subject)]
  const results = []
  for (const fn of functions) {
    const expected = await runOnce(fn, subject.inputs, { backend: 'cpu' })
    const actual = await runOnce(fn, subject.inputs, { backend: 'onnx' })
    assertClose(t, actual, expected, subject.name)
    results.push(expected)
  }
  const gradients = results[1]
  if (gradients) await assertDifferences(t, subject, gradients)
}

export function assertClose(
  t: ExecutionContext,
  actual: readonly HostTensor[],
  expected: readonly HostTensor[],
  name: string,
  tolerance = 2e-5,
): void {
  t.deepEqual(actual.map(kindOf), expected.map(kindOf), `${name}: dtypes and shapes`)
  actual.forEach((tensor, output) => {
    const other = expected[output] as HostTensor
    const scale = Math.max(1, ...Array.from(other.data, (x) => (Number.isFinite(x) ? Math.abs(x) : 0)))
    tensor.data.forEach((x, i) => {
      const y = other.data[i] as number
      const isSame = Object.is(x, y) || Math.abs(x - y) <= tolerance * scale
      if (!isSame) t.fail(`${name}: output ${output}, element ${i} is ${x}, expected ${y}`)
    })
  })
}

function kindOf({ dtype, shape }: HostTensor): string {
  return `${dtype}[${shape}]`
}

const STEP = 1 / 128
const DIFFERENCE_TOLERANCE = 5e-3

/** Central differences along one random direction for each input; outputs are added up in float64. */
async function assertDifferences(t: ExecutionContext, subject: Case, gradients: readonly HostTensor[]): Promise<void> {
  const compiled: Compiled = compile(forward(subject), { name: subject.name, backend: 'cpu' })
  for (const [order, at] of floats(subject.inputs).entries()) {
    const input = subject.inputs[at] as HostTensor
    const direction = seededRandom(7, subject.name, at)
    const along = Float64Array.from(input.data, () => direction.normal())
    const lossAt = async (step: number) => {
      const moved = { ...input, data: Float32Array.from(input.data, (x, i) => x + step * (along[i] as number)) }
      const outputs = await compiled.run(subject.inputs.with(at, moved))
      return outputs.reduce((sum, { data }, o) => Array.from(data).reduce((s, y, i) => s + y * weight(o, i), sum), 0)
    }
    const measured = ((await lossAt(STEP)) - (await lossAt(-STEP))) / (2 * STEP)
    const gradient = gradients[order] as HostTensor
    const claimed = Array.from(gradient.data).reduce((sum, g, i) => sum + g * (along[i] as number), 0)
    const scale = Math.max(1, Math.abs(measured))
    const message = `${subject.name}: input ${at} has slope ${measured} by differences, ${claimed} by gradient`
    t.true(Math.abs(measured - claimed) <= DIFFERENCE_TOLERANCE * scale, message)
  }
}
