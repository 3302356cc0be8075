import '@tensorflow/tfjs-backend-cpu'
import * as tf from '@tensorflow/tfjs-core'
import test from 'ava'
import { initParams } from '../../models/layout.js'
import { openModel } from '../../models/model.js'
import { nllLoss } from '../../models/nll.js'
import { createTrainer } from '../../models/trainer.js'
import { TroupeError } from '../../runtime/kernel/errors.js'
import { backends, compile, type HostTensor, type TensorFunction, upload } from '../../runtime/tensor/index.js'
import { lowerings } from '../../runtime/tensor/kernels/index.js'
import { seededRandom } from '../../runtime/time/random.js'
import { plainAdam, tiny, worst } from '../models/support.js'
import { normal, runOnce } from '../runtime/tensor/support.js'
import { elementwiseCases } from './elementwise-cases.js'
import { shapeCases } from './shape-cases.js'
import { disagreement, isUsable, kernelsOf } from './support.js'

const cases = [...elementwiseCases, ...shapeCases]
/** TF.js 4.22 composes these of other kernels on every backend but the tracing one. */
const COMPOSED = [
  'LogicalXor',
  'LogSoftmax',
  'BroadcastTo',
  'TroupeRmsNorm',
  'TroupeRotary',
  'TroupeSilu',
  'TroupePlaceRows',
]
/** TF.js 4.22's JavaScript kernel leaves zeros where nothing is written. */
const FAULTY: Readonly<Partial<Record<string, string>>> = { cpu: 'TensorScatterUpdate' }
/** Curves of one run on two backends: 50 AdamW steps multiply what roundings differ by. */
const CURVE_TOLERANCE = { onnx: 1e-4, tensorflow: 1e-4, webgpu: 5e-3, cpu: 0 }

test.serial('every kernel that can be traced has a case, and the case calls it', async (t) => {
  const covered = new Set(cases.map(({ kernel }) => kernel))
  t.deepEqual(
    Object.keys(lowerings).filter((kernel) => !covered.has(kernel)),
    [],
  )
  await runOnce((inputs) => inputs, [normal([1])], { backend: 'cpu' })
  for (const subject of cases.filter(({ kernel }) => !COMPOSED.includes(kernel)))
    t.true((await kernelsOf(subject)).includes(subject.kernel), subject.kernel)
})

/** 50 steps of a Llama of a few thousand parameters on a fixed stream of batches, then greedy continuations. */
async function learn(backend: (typeof backends)[number]) {
  const params = initParams(tiny, seededRandom(1))
  const optimizer = { ...plainAdam, clipNorm: 1, warmupSteps: 5, schedule: 'cosine', totalSteps: 50 } as const
  const trainer = createTrainer(tiny, params, nllLoss, { optimizer, engine: { backend }, rows: 4 })
  const random = seededRandom(2)
  const losses: number[] = []
  for (let step = 0; step < 50; step++) {
    const words = Array.from({ length: 4 }, () => 3 + random.int(5))
    const batch = words.map((word) => ({ tokens: Int32Array.of(1, word, word, word + 1, 2), promptLength: 2 }))
    losses.push((await trainer.step(batch)).loss)
  }
  await trainer.pull()
  await trainer.dispose()
  const model = openModel(tiny, trainer.params, { backend })
  const greedy = { temperature: 0, topK: 0, topP: 1, maxNewTokens: 6, stopTokens: [2] }
  const prompts = [3, 4, 5, 6].map((word) => ({ prompt: Int32Array.of(1, word), n: 1, random: seededRandom(word) }))
  const written = await model.generate(prompts, greedy)
  await model.dispose()
  return { losses, texts: written.map(([first]) => [...first!.tokens]) }
}
let oracle: ReturnType<typeof learn> | undefined

for (const backend of backends) {
  const only = (name: string, body: (t: Parameters<typeof isUsable>[0]) => Promise<void>) =>
    test.serial(`${backend}: ${name}`, async (t) => {
      t.timeout(240_000)
      if (await isUsable(t, backend)) await body(t)
    })

  only('every kernel and its gradient agree with float64', async (t) => {
    const before = tf.memory().numTensors
    const wrong: string[] = []
    for (const subject of cases.filter(({ kernel }) => kernel !== FAULTY[backend])) {
      const found = await disagreement(subject, backend).catch((error: Error) => `${subject.kernel}: ${error.message}`)
      if (found) wrong.push(found)
    }
    t.deepEqual(wrong, [])
    t.is(tf.memory().numTensors, before)
  })

  only('50 steps of training follow the oracle, and greedy continuations are the same', async (t) => {
    oracle ??= learn('cpu')
    const [expected, before] = [await oracle, tf.memory().numTensors]
    const actual = backend === 'cpu' ? expected : await learn(backend)
    t.true(actual.losses[49]! < actual.losses[0]! / 2, `learned: ${actual.losses[0]} to ${actual.losses[49]}`)
    const off = worst(actual.losses, expected.losses)
    t.true(off <= CURVE_TOLERANCE[backend], `the loss curve is off by ${off}`)
    t.deepEqual(actual.texts, expected.texts)
    t.is(tf.memory().numTensors, before)
  })

  only('kept outputs feed other functions, in any order of calls; memory is flat', async (t) => {
    const add = compile(([a, b]) => [tf.add(a!, b!), tf.sub(a!, b!)], { name: 'add', backend })
    const twice = compile(([a]) => [tf.mul(a!, 2), a!, a!], { name: 'twice', backend })
    const [one, four] = [1, 4].map((v): HostTensor => ({ dtype: 'float32', shape: [2], data: Float32Array.of(v, -v) }))
    const round = async () => {
      const [resident] = await upload([one!], backend)
      const first = await add.runKept([resident!, four!], new Set([0]))
      t.deepEqual([...first.host[0]!.data], [-3, 3])
      // made in one order, answered in any: each sees its own inputs
      const [doubled, summed, again] = await Promise.all([
        twice.run([first.kept[0]!]),
        add.run([first.kept[0]!, one!]),
        twice.runKept([first.kept[0]!], new Set([1])),
      ])
      t.deepEqual(
        doubled.map(({ data }) => [...data]),
        [
          [10, -10],
          [5, -5],
          [5, -5],
        ],
      )
      t.deepEqual([...summed[0]!.data], [6, -6])
      first.kept[0]!.dispose()
      t.deepEqual([...(await again.kept[0]!.read()).data], [5, -5])
      for (const tensor of [resident!, ...first.kept, ...again.kept]) tensor.dispose()
    }
    await round()
    const [before, bytes] = [tf.memory().numTensors, deviceBytes()]
    for (let i = 0; i < 10; i++) await round()
    t.is(tf.memory().numTensors, before)
    t.is(deviceBytes(), bytes)
    await add.dispose()
    await twice.dispose()
  })

  only('results are fresh arrays, and inputs may be changed after the call', async (t) => {
    const data = Float32Array.of(1, 2)
    const same = compile(([a]) => [a!, a!], { name: 'same', backend })
    const running = same.runKept([{ dtype: 'float32', shape: [2], data }], new Set([0]))
    const { host, kept } = await running
    if (backend === 'webgpu' || backend === 'tensorflow') data.fill(9)
    t.deepEqual(
      [[...host[0]!.data], [...(await kept[0]!.read()).data]],
      [
        [1, 2],
        [1, 2],
      ],
    )
    host[0]!.data[0] = 7
    t.is((await kept[0]!.read()).data[0], 1)
    kept[0]!.dispose()
    await same.dispose()
  })

  only('errors have the same types', async (t) => {
    const same: TensorFunction = ([a]) => [tf.clone(a!)]
    const refused = (fn: TensorFunction, input: HostTensor, code = 'E_COMPILE') =>
      t.throwsAsync(() => runOnce(fn, [input], { backend, name: 'subject' }), {
        instanceOf: TroupeError,
        code,
        message: /^subject: /,
      })
    await refused(same, { dtype: 'float32', shape: [3], data: new Float32Array(2) })
    await refused(same, { dtype: 'float32', shape: [2], data: new Int32Array(2) })
    await refused(() => [], normal([2]))
    await refused(([a]) => [tf.matMul(a as tf.Tensor2D, a as tf.Tensor2D)], normal([2, 3]))
    const [elsewhere] = await upload([normal([2])], backend)
    elsewhere!.dispose()
    const gather: TensorFunction = ([i]) => [tf.gather(tf.tensor1d([1, 2]), tf.cast(i!, 'int32'))]
    // GPU kernels read zeros there instead of checking
    if (backend !== 'webgpu') await refused(gather, { dtype: 'int32', shape: [1], data: Int32Array.of(7) }, 'E_BACKEND')
    // eager functions may read what they have computed; a graph, and a device without synchronous reads, cannot
    const reads: TensorFunction = ([a]) => [
      tf.scalar(tf.exp(tf.matMul(a as tf.Tensor2D, a as tf.Tensor2D)).dataSync()[0]!),
    ]
    if (backend === 'onnx' || backend === 'webgpu') await refused(reads, normal([40, 40]))
    else t.is((await runOnce(reads, [normal([1, 1])], { backend })).length, 1)
  })
}

function deviceBytes(): number {
  const memory = tf.findBackend('webgpu')?.memory() as { numBytesAllocatedInGPU?: number } | undefined
  return memory?.numBytesAllocatedInGPU ?? 0
}
