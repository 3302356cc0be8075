import '@tensorflow/tfjs-backend-cpu'
import * as tf from '@tensorflow/tfjs-core'
import test, { type ExecutionContext } from 'ava'
import { TroupeError } from '../../../runtime/kernel/errors.js'
import type { CompileOptions, HostTensor, TensorFunction } from '../../../runtime/tensor/index.js'
import { normal, runOnce } from './support.js'

const same: TensorFunction = ([x]) => [tf.clone(x as tf.Tensor)]
const pair = normal([2])

async function refusal(
  t: ExecutionContext,
  fn: TensorFunction,
  inputs: unknown[],
  options: Partial<CompileOptions> = {},
) {
  const run = () => runOnce(fn, inputs as HostTensor[], { name: 'subject', ...options })
  const error = await t.throwsAsync<TroupeError>(run, { instanceOf: TroupeError, code: 'E_COMPILE' })
  t.regex(error?.message ?? '', /^subject: /)
  return error as TroupeError
}

for (const backend of ['onnx', 'cpu'] as const) {
  test(`${backend}: an input that is not what it says is refused by its index`, async (t) => {
    const bad: [unknown, RegExp][] = [
      [{ dtype: 'float32', shape: [3], data: new Float32Array(2) }, /input 1 has 2 elements where shape \[3\] needs 3/],
      [{ dtype: 'float32', shape: [2], data: new Int32Array(2) }, /input 1 is float32 but its data is a Int32Array/],
      [
        { dtype: 'float32', shape: [2], data: new Float64Array(2) },
        /input 1 is float32 but its data is a Float64Array/,
      ],
      [{ dtype: 'float16', shape: [2], data: new Float32Array(2) }, /input 1 has dtype 'float16'/],
      [{ dtype: 'int32', shape: [2.5], data: new Int32Array(2) }, /input 1 has shape \[2.5\]/],
      [{ dtype: 'int32', shape: [-1], data: new Int32Array(2) }, /input 1 has shape \[-1\]/],
    ]
    for (const [input, message] of bad) t.regex((await refusal(t, same, [pair, input], { backend })).message, message)
  })

  test(`${backend}: shared memory is refused with what to do`, async (t) => {
    const data = new Float32Array(new SharedArrayBuffer(8))
    const error = await refusal(t, same, [{ dtype: 'float32', shape: [2], data }], { backend })
    t.regex(error.message, /input 0 is a view of shared memory/)
    t.regex(error.hint ?? '', /Copy it/)
  })

  test(`${backend}: a function that does not return a list of tensors is refused`, async (t) => {
    const wrong = [() => tf.scalar(1), () => [], () => [1], async () => [tf.scalar(1)]] as never as TensorFunction[]
    for (const fn of wrong)
      t.regex((await refusal(t, fn, [pair], { backend })).message, /must return a list of tensors/)
  })

  test(`${backend}: what the function throws is the cause`, async (t) => {
    const error = await refusal(t, ([x]) => [tf.matMul(x as tf.Tensor2D, x as tf.Tensor2D)], [normal([2, 3])], {
      backend,
    })
    t.true(error.cause instanceof Error)
  })
}

test('onnx: reading a value inside of the function names the op and the line', async (t) => {
  const error = await refusal(t, ([x]) => [tf.scalar(tf.exp(x as tf.Tensor).dataSync()[0] as number)], [pair])
  t.regex(error.message, /dataSync/)
  t.regex(error.where ?? '', /errors\.test\.[jt]s:\d+:\d+$/)
  t.regex(error.hint ?? '', /tf\.where/)
})

test('onnx: constants can be read', async (t) => {
  const [y] = await runOnce(([x]) => [tf.mul(x as tf.Tensor, tf.tensor1d([3, 4]).dataSync()[1] as number)], [pair], {})
  t.is((y as HostTensor).data[0], (pair.data[0] as number) * 4)
})

test('onnx: a kernel that cannot be traced is named, with the line', async (t) => {
  const error = await refusal(t, ([x]) => [tf.fft(tf.complex(x as tf.Tensor, x as tf.Tensor))], [pair])
  t.regex(error.message, /Complex: this kernel cannot be traced/)
  t.regex(error.where ?? '', /errors\.test\.[jt]s:\d+:\d+$/)
  const inside = await refusal(t, ([x]) => [tf.grad((y) => tf.depthToSpace(y as tf.Tensor4D, 2))(x as tf.Tensor)], [
    normal([1, 1, 1, 4]),
  ])
  t.regex(inside.message, /DepthToSpace/)
})

test('onnx: a variable from outside is refused, because its value would be frozen', async (t) => {
  await tf.setBackend('cpu')
  const weight = tf.variable(tf.tensor1d([1, 2]), true, 'weight')
  const error = await refusal(t, ([x]) => [tf.mul(x as tf.Tensor, weight)], [pair])
  t.regex(error.message, /variable 'weight'/)
  t.deepEqual([...weight.dataSync()], [1, 2])
  weight.dispose()
})

test('onnx: a failed trace is tried anew, and other shapes are not harmed', async (t) => {
  let fails = true
  const fn: TensorFunction = ([x]) => {
    if (fails) throw new Error('not yet')
    return [tf.clone(x as tf.Tensor)]
  }
  await refusal(t, fn, [pair])
  fails = false
  t.deepEqual((await runOnce(fn, [pair], {}))[0]?.data, pair.data)
})

test('onnx: an index outside is an error of the data, with the function named', async (t) => {
  const fn: TensorFunction = ([x, i]) => [tf.gather(x as tf.Tensor, i as tf.Tensor)]
  const index = { dtype: 'int32', shape: [1], data: Int32Array.of(7) } as const
  await t.throwsAsync(() => runOnce(fn, [pair, index], { name: 'subject' }), {
    code: 'E_BACKEND',
    message: /^subject: /,
  })
})
