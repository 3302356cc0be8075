import * as tf from '@tensorflow/tfjs-core'
import test from 'ava'
import { compile, type HostTensor } from '../../../runtime/tensor/index.js'
import { seededRandom } from '../../../runtime/time/index.js'
import { blockInputs, blockLoss } from './block.js'
import { assertClose, runOnce } from './support.js'

test("a Llama block's loss and gradients agree between backends", async (t) => {
  const expected = await runOnce(blockLoss, blockInputs, { backend: 'cpu' })
  const actual = await runOnce(blockLoss, blockInputs, { backend: 'onnx' })
  assertClose(t, actual, expected, 'block', 1e-5)
  for (const [i, { data }] of actual.entries()) {
    const other = (expected[i] as HostTensor).data
    const distance = Math.hypot(...Array.from(data, (x, j) => x - (other[j] as number)))
    t.true(distance <= 1e-4 * Math.hypot(...other), `output ${i}: relative distance ${distance / Math.hypot(...other)}`)
  }
})

test("a Llama block's gradients are those of finite differences", async (t) => {
  const compiled = compile(blockLoss, { name: 'block' })
  const [, ...gradients] = await compiled.run(blockInputs)
  for (const [i, gradient] of gradients.entries()) {
    const input = blockInputs[i] as HostTensor
    const random = seededRandom(5, i)
    const along = Float32Array.from(input.data, () => random.normal())
    const lossAt = async (step: number) => {
      const moved = { ...input, data: Float32Array.from(input.data, (x, j) => x + step * (along[j] as number)) }
      const [loss] = await compiled.run(blockInputs.with(i, moved))
      return (loss as HostTensor).data[0] as number
    }
    const step = 1 / 512
    const measured = ((await lossAt(step)) - (await lossAt(-step))) / (2 * step)
    const claimed = Array.from(gradient.data).reduce((sum, g, j) => sum + g * (along[j] as number), 0)
    t.true(Math.abs(measured - claimed) < 5e-3 * Math.max(1, Math.abs(measured)), `weight ${i}: ${measured} ${claimed}`)
  }
  t.is(compiled.stats.graphs, 1)
  await compiled.dispose()
})

test('an update made of the gradients lowers the loss', async (t) => {
  const compiled = compile(blockLoss, { name: 'block' })
  let inputs = blockInputs
  const losses: number[] = []
  for (let step = 0; step < 20; step++) {
    const [loss, ...gradients] = await compiled.run(inputs)
    losses.push((loss as HostTensor).data[0] as number)
    inputs = inputs.map((input, i) => {
      const gradient = gradients[i]
      return gradient
        ? { ...input, data: Float32Array.from(input.data, (x, j) => x - 0.05 * (gradient.data[j] as number)) }
        : input
    })
  }
  t.true((losses.at(-1) as number) < (losses[0] as number) * 0.7, losses.join(' '))
  await compiled.dispose()
})

test('variableGrads and a custom gradient are traced', async (t) => {
  const fn = ([x]: tf.Tensor[]) => {
    const w = tf.variable(x as tf.Tensor, true, 'w')
    const half = tf.customGrad((y) => ({
      value: tf.mul(y as tf.Tensor, 1),
      gradFunc: (dy: tf.Tensor) => tf.mul(dy, 0.5),
    }))
    const { value, grads } = tf.variableGrads(() => tf.sum(tf.square(half(w))) as tf.Scalar)
    return [value, grads.w as tf.Tensor]
  }
  const input: HostTensor = { dtype: 'float32', shape: [2], data: Float32Array.of(3, -2) }
  for (const backend of ['cpu', 'onnx'] as const) {
    const [value, gradient] = await runOnce(fn, [input], { backend })
    t.deepEqual([...(value as HostTensor).data], [13])
    t.deepEqual([...(gradient as HostTensor).data], [3, -2])
  }
})
