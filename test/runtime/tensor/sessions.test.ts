import '@tensorflow/tfjs-backend-cpu'
import * as tf from '@tensorflow/tfjs-core'
import test from 'ava'
import type { TroupeError } from '../../../runtime/kernel/errors.js'
import { compile, type HostTensor } from '../../../runtime/tensor/index.js'
import { blockInputs, blockLoss } from './block.js'
import { normal, runOnce } from './support.js'

const double = ([x]: tf.Tensor[]) => [tf.mul(x as tf.Tensor, 2)]
const ofLength = (n: number): HostTensor => ({ dtype: 'float32', shape: [n], data: new Float32Array(n).fill(n) })

test.serial('tf.memory() is flat over many runs and shapes, and the active backend is put back', async (t) => {
  await tf.setBackend('cpu')
  const kept = tf.tensor1d([1, 2])
  const before = tf.memory().numTensors
  for (const backend of ['onnx', 'cpu'] as const) {
    const compiled = compile(double, { name: 'double', backend })
    for (let i = 0; i < 30; i++) {
      await compiled.run([ofLength(1 + (i % 5))])
      t.is(tf.memory().numTensors, before)
    }
    await compiled.dispose()
    await runOnce(blockLoss, blockInputs, { backend })
    t.is(tf.getBackend(), 'cpu')
    t.is(tf.memory().numTensors, before)
  }
  kept.dispose()
})

test.serial('tf.memory() is flat after a function that fails inside of a gradient', async (t) => {
  const before = tf.memory().numTensors
  const fn = ([x]: tf.Tensor[]) => [
    tf.grad((y) => {
      const z = tf.exp(tf.exp(y))
      tf.variable(z)
      throw new Error(`no further than ${z.shape}`)
    })(x as tf.Tensor),
  ]
  for (const backend of ['onnx', 'cpu'] as const) {
    const error = await t.throwsAsync<TroupeError>(() => runOnce(fn, [ofLength(3)], { backend, name: 'fails' }))
    t.is(error?.code, 'E_COMPILE')
    t.is(error?.message, 'fails: no further than 3')
    t.is(tf.memory().numTensors, before)
    t.is((await runOnce(double, [ofLength(1)], { backend }))[0]?.data[0], 2)
  }
})

test('one graph for each tuple of shapes and dtypes', async (t) => {
  const compiled = compile(double, { name: 'double' })
  for (const n of [1, 2, 1, 2, 3]) await compiled.run([ofLength(n)])
  t.is(compiled.stats.graphs, 3)
  await compiled.run([{ dtype: 'int32', shape: [2], data: Int32Array.of(1, 2) }])
  t.is(compiled.stats.graphs, 4)
  t.true(compiled.stats.compileMs > 0)
  await compiled.dispose()
})

test('the least recently used graph is released first', async (t) => {
  const compiled = compile(double, { name: 'double', maxGraphs: 2 })
  for (const n of [1, 2, 1, 3]) await compiled.run([ofLength(n)])
  t.is(compiled.stats.graphs, 3)
  await compiled.run([ofLength(1)])
  t.is(compiled.stats.graphs, 3, '1 was used after 2, so 2 was released')
  const [y] = await compiled.run([ofLength(2)])
  t.is(compiled.stats.graphs, 4)
  t.deepEqual([...(y as HostTensor).data], [4, 4])
  await compiled.dispose()
})

test('runs of many shapes at once outlive the eviction of their graphs', async (t) => {
  const compiled = compile(double, { name: 'double', maxGraphs: 1 })
  const lengths = Array.from({ length: 24 }, (_, i) => 1 + (i % 4))
  const results = await Promise.all(lengths.map((n) => compiled.run([ofLength(n)])))
  t.deepEqual(
    results.map(([y]) => [...(y as HostTensor).data]),
    lengths.map((n) => new Array(n).fill(2 * n)),
  )
  await compiled.dispose()
})

test('the same shape asked for twice at once is compiled once', async (t) => {
  const compiled = compile(double, { name: 'double' })
  await Promise.all([compiled.run([ofLength(4)]), compiled.run([ofLength(4)])])
  t.is(compiled.stats.graphs, 1)
  await compiled.dispose()
})

test('dispose waits for nothing, and a run after it is refused', async (t) => {
  const compiled = compile(double, { name: 'double' })
  const running = compiled.run([ofLength(2)])
  await compiled.dispose()
  await running
  await t.throwsAsync(() => compiled.run([ofLength(2)]), { code: 'E_COMPILE', message: /double/ })
})

test('results are fresh arrays', async (t) => {
  const compiled = compile(([x]) => [x as tf.Tensor, x as tf.Tensor], { name: 'same' })
  const input = ofLength(3)
  const [a, b] = (await compiled.run([input])) as [HostTensor, HostTensor]
  const [c] = (await compiled.run([input])) as [HostTensor]
  a.data[0] = 99
  t.deepEqual([input.data[0], b.data[0], c.data[0]], [3, 3, 3])
  await compiled.dispose()
})

test('tensors from outside are constants of the graph', async (t) => {
  await tf.setBackend('cpu')
  const table = tf.tensor1d([1, 2, 3])
  const [y] = await runOnce(([x]) => [tf.add(x as tf.Tensor, table)], [normal([3])], {})
  t.deepEqual([...table.dataSync()], [1, 2, 3])
  t.is((y as HostTensor).data[2], Math.fround((normal([3]).data[2] as number) + 3))
  table.dispose()
})

test('several threads add duplicates up as one does', async (t) => {
  const count = 20_000
  const x: HostTensor = { dtype: 'float32', shape: [count, 8], data: new Float32Array(count * 8).fill(1) }
  const ids = { dtype: 'int32', shape: [count], data: Int32Array.from({ length: count }, (_, i) => i % 4) } as const
  const pairs = {
    dtype: 'int32',
    shape: [count, 2],
    data: Int32Array.from({ length: 2 * count }, (_, i) => (i >> 1) % 2),
  } as const
  const fn = ([a, i, p]: tf.Tensor[]) => [
    tf.unsortedSegmentSum(a as tf.Tensor, i as tf.Tensor1D, 4),
    tf.scatterND(p as tf.Tensor, a as tf.Tensor, [2, 2, 8]),
  ]
  const compiled = compile(fn, { name: 'sum', threads: 4 })
  for (let i = 0; i < 5; i++) {
    const [rows, points] = (await compiled.run([x, ids, pairs])) as [HostTensor, HostTensor]
    t.true(rows.data.every((total) => total === count / 4))
    t.true(points.data.every((total, j) => total === (j < 8 || j >= 24 ? count / 2 : 0)))
  }
  await compiled.dispose()
})

test('an output is written into the array given for it, and one that does not fit is refused', async (t) => {
  for (const backend of ['onnx', 'cpu'] as const) {
    const compiled = compile(([x]) => [tf.add(x as tf.Tensor, 1), tf.mul(x as tf.Tensor, 2)], { name: 'both', backend })
    const into = new Float32Array(3)
    const [sum, product] = await compiled.run([ofLength(3)], new Map([[1, into]]))
    t.is(product?.data, into)
    t.deepEqual(
      [...into],
      Array.from(ofLength(3).data, (x) => 2 * x),
    )
    t.deepEqual(
      [...(sum?.data ?? [])],
      Array.from(ofLength(3).data, (x) => x + 1),
    )
    for (const wrong of [new Float32Array(2), new Int32Array(3)])
      await t.throwsAsync(() => compiled.run([ofLength(3)], new Map([[1, wrong]])), {
        code: 'E_COMPILE',
        message: /both: output 1/,
      })
    await t.throwsAsync(() => compiled.run([ofLength(3)], new Map([[2, into]])), { code: 'E_COMPILE' })
    await compiled.dispose()
  }
})
