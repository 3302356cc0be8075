import '@tensorflow/tfjs-backend-cpu'
import * as tf from '@tensorflow/tfjs-core'
import test from 'ava'
import { initParams, paramLayout } from '../../models/layout.js'
import { openModel } from '../../models/model.js'
import { nllLoss } from '../../models/nll.js'
import { learningRateAt } from '../../models/optimizer.js'
import { createTrainer } from '../../models/trainer.js'
import type { TokenSequence } from '../../models/types.js'
import type { LossFunction } from '../../runtime/tensor/index.js'
import { seededRandom } from '../../runtime/time/random.js'
import { plainAdam, sum, tiny, tinyLlama, worst } from './support.js'

const sequencesOf = (rows: number[][], promptLength: number): TokenSequence[] =>
  rows.map((row) => ({ tokens: Int32Array.from(row), promptLength }))

for (const [backend, update] of [
  ['cpu', 'host'],
  ['cpu', 'graph'],
  ['onnx', 'host'],
  ['onnx', 'graph'],
] as const)
  test(`${backend}, update on the ${update}: loss, gradient norm and AdamW steps are PyTorch's`, async (t) => {
    const { config, params, expected } = await tinyLlama()
    const { steps, after, ...optimizer } = expected.adamw
    const trainer = createTrainer(config, params, nllLoss, {
      optimizer: { ...plainAdam, ...optimizer },
      engine: { backend },
      update,
      rows: 4,
    })
    const sequences = sequencesOf(expected.rows, expected.promptLength)
    t.true(Math.abs(expected.nll - steps[0].loss) < 1e-6)
    for (const step of steps) {
      const result = await trainer.step(sequences)
      t.true(Math.abs(result.loss - step.loss) < 1e-5)
      t.true(Math.abs(result.gradNorm - step.gradNorm) < 1e-4)
      t.is(result.tokens, 14)
    }
    await trainer.pull()
    for (const { name, offset, length } of paramLayout(config).entries)
      if (after[name]) t.true(worst(params.subarray(offset, offset + length), after[name]) < 2e-6, name)
    await trainer.dispose()
  })

test('gradients are the slopes of the loss (finite differences)', async (t) => {
  const config = { ...tiny, vocabSize: 9, numHiddenLayers: 1, tieWordEmbeddings: false }
  const params = initParams(config, seededRandom(3)).map((value) => (value === 1 ? 0.8 : value * 12))
  const sequences = sequencesOf(
    [
      [1, 4, 5, 6, 7],
      [1, 8, 3, 2],
    ],
    2,
  )
  const weights = { shape: [2], data: Float32Array.of(0.5, 2) }
  const engine = { backend: 'cpu' } as const
  // A rate this small leaves the weights as they are; the first moment then holds a tenth of the gradient.
  const options = { optimizer: { ...plainAdam, learningRate: 0 }, engine, rows: 2, lengthBucket: 8 } as const
  const trainer = createTrainer(config, params, nllLoss, options)
  await trainer.step(sequences, [weights])
  const gradient = (await trainer.state()).m.map((value) => value * 10)
  const random = seededRandom(4)
  const lossAt = async (index: number, change: number) => {
    const moved = params.slice()
    moved[index]! += change
    return (await createTrainer(config, moved, nllLoss, options).step(sequences, [weights])).loss
  }
  for (const { name, offset, length } of paramLayout(config).entries) {
    const index = offset + random.int(length)
    const slope = ((await lossAt(index, 1e-2)) - (await lossAt(index, -1e-2))) / 2e-2
    t.true(
      Math.abs(slope - gradient[index]!) < 2e-3 + 0.02 * Math.abs(slope),
      `${name}: ${slope} and ${gradient[index]}`,
    )
  }
  await trainer.dispose()
})

test('a small model learns a small task by heart, and its loss is the mean of its logprobs', async (t) => {
  const params = initParams(tiny, seededRandom(1))
  const trainer = createTrainer(tiny, params, nllLoss, {
    optimizer: { ...plainAdam, learningRate: 2e-2, clipNorm: 1, warmupSteps: 5, schedule: 'cosine', totalSteps: 150 },
    engine: { backend: 'onnx' },
    rows: 8,
  })
  const random = seededRandom(2)
  // Copy a word twice, then stop: the copy can be known from the prompt alone.
  const rows = Array.from({ length: 8 }, () => 3 + random.int(17)).map((word) => [1, word, word, word, 2])
  const sequences = sequencesOf(rows, 2)
  const first = await trainer.step(sequences)
  t.true(Math.abs(first.loss - Math.log(20)) < 0.2, 'a fresh model knows nothing')
  let last = first
  for (let step = 1; step < 150; step++) last = await trainer.step(sequences)
  t.true(last.loss < 0.05, `loss ${last.loss}`)
  const model = openModel(tiny, params, { backend: 'onnx' })
  const logprobs = await model.logprobs(sequences)
  const next = await trainer.step(sequences)
  t.true(Math.abs(next.loss + sum(logprobs.flatMap((values) => [...values])) / 24) < 1e-4)
  const greedy = { temperature: 0, topK: 0, topP: 1, maxNewTokens: 5, stopTokens: [2] }
  const [[copied]] = (await model.generate([{ prompt: Int32Array.of(1, rows[0]![1]!), n: 1, random }], greedy)) as [
    [never],
  ]
  t.deepEqual([...(copied as { tokens: Int32Array }).tokens], rows[0]!.slice(2))
  await trainer.dispose()
  await model.dispose()
})

/** Reports what it is given, at a loss that touches every weight a little. */
const probe: LossFunction = (logprobs, mask, [perRow, perToken]) => {
  const loss = tf.mul(tf.sum(logprobs), 1e-3) as tf.Scalar
  const metrics = [
    loss,
    tf.sum(mask),
    tf.sum(tf.mul(perToken!, mask)),
    tf.sum(tf.sub(perToken!, tf.mul(perToken!, mask))),
    tf.sum(tf.mul(tf.expandDims(perRow!, 1), perToken!)),
  ] as tf.Scalar[]
  return { loss, metrics }
}

for (const backend of ['cpu', 'onnx'] as const)
  test(`${backend}: extras are aligned with the completions and padded with empty rows`, async (t) => {
    const params = initParams(tiny, seededRandom(1))
    const trainer = createTrainer(tiny, params, probe, { optimizer: plainAdam, engine: { backend }, rows: 4 })
    const sequences = sequencesOf(
      [
        [1, 4, 5, 6, 7],
        [1, 8, 3, 2, 2, 2],
        [1, 5, 5],
      ],
      2,
    )
    const perToken = [Float32Array.of(1, 2, 3), Float32Array.of(10, 20, 30, 40), Float32Array.of(100)]
    const perRow = { shape: [3], data: Float32Array.of(1, 2, 3) }
    const before = tf.memory().numTensors
    const { loss, metrics } = await trainer.step(sequences, [perRow, { perToken }])
    t.deepEqual([...metrics], [loss, 8, 206, 0, 6 + 200 + 300])
    t.is(tf.memory().numTensors, before)
    await trainer.dispose()
  })

for (const update of ['host', 'graph'] as const)
  test(`update on the ${update}: a loss or gradient that is not finite changes nothing and says so`, async (t) => {
    // finite at weight 1; no number at −1; a finite loss with an infinite slope at 0
    const broken: LossFunction = (logprobs, _mask, [sign]) => ({
      loss: tf.sqrt(tf.mul(tf.sum(sign!), tf.neg(tf.sum(logprobs)))) as tf.Scalar,
      metrics: [],
    })
    const params = initParams(tiny, seededRandom(1))
    const optimizer = { ...plainAdam, weightDecay: 0.1 }
    const trainer = createTrainer(tiny, params, broken, { optimizer, engine: { backend: 'onnx' }, update, rows: 1 })
    const step = (sign: number) =>
      trainer.step(sequencesOf([[1, 4, 5]], 1), [{ shape: [1], data: Float32Array.of(sign) }])
    await step(1)
    await trainer.pull()
    const [before, state] = [params.slice(), await trainer.state()]
    await t.throwsAsync(step(-1), { code: 'E_DATA', message: /loss NaN/ })
    await t.throwsAsync(step(0), { code: 'E_DATA', message: /loss 0, gradient norm NaN/ })
    await trainer.pull()
    t.deepEqual(params, before)
    t.deepEqual(await trainer.state(), state)
    await step(1)
    await trainer.pull()
    t.true(worst(params, before) > 1e-3)
    await trainer.dispose()
  })

test('the update in the graph and the one on the host agree over 50 steps, also after a restore and a reset', async (t) => {
  const optimizer = {
    ...plainAdam,
    learningRate: 2e-3,
    clipNorm: 0.5,
    weightDecay: 0.1,
    warmupSteps: 5,
    schedule: 'linear',
    totalSteps: 40,
  } as const
  const sequences = sequencesOf(
    [
      [1, 4, 5, 6],
      [1, 8, 3, 2],
    ],
    1,
  )
  const runs = await Promise.all(
    (['host', 'graph'] as const).map(async (update) => {
      const params = initParams(tiny, seededRandom(1))
      const options = { optimizer, engine: { backend: 'onnx' }, update, rows: 2 } as const
      const first = createTrainer(tiny, params, nllLoss, options)
      const losses: number[] = []
      for (let step = 0; step < 25; step++) losses.push((await first.step(sequences)).loss)
      await first.pull()
      const second = createTrainer(tiny, params.slice(), nllLoss, options)
      second.restore(await first.state())
      for (let step = 25; step < 50; step++) losses.push((await second.step(sequences)).loss)
      await second.pull()
      const result = { losses, params: second.params.slice(), state: await second.state() }
      second.resetOptimizer({ ...optimizer, learningRate: 0.5 })
      const { learningRate } = await second.step(sequences)
      const { step } = await second.state()
      await Promise.all([first.dispose(), second.dispose()])
      return { ...result, reset: { learningRate, step } }
    }),
  )
  const [host, graph] = runs as [(typeof runs)[0], (typeof runs)[0]]
  t.true(host.losses[49]! < host.losses[0]! - 0.3)
  t.true(worst(graph.losses, host.losses) < 1e-4, `losses: ${worst(graph.losses, host.losses)}`)
  t.true(worst(graph.params, host.params) < 1e-4, `params: ${worst(graph.params, host.params)}`)
  t.true(worst(graph.state.m, host.state.m) < 1e-4)
  t.is(graph.state.step, 50)
  t.deepEqual([host.reset, graph.reset], new Array(2).fill({ learningRate: 0.1, step: 1 }))
})

test('a restored optimizer goes on exactly; a reset one begins anew without compiling again', async (t) => {
  const options = { optimizer: { ...plainAdam, clipNorm: 1 }, engine: { backend: 'onnx' }, rows: 2 } as const
  const sequences = sequencesOf(
    [
      [1, 4, 5, 6],
      [1, 8, 3, 2],
    ],
    1,
  )
  const params = initParams(tiny, seededRandom(1))
  const trainer = createTrainer(tiny, params, nllLoss, options)
  await trainer.step(sequences)
  const other = createTrainer(tiny, params.slice(), nllLoss, options)
  other.restore(await trainer.state())
  await trainer.step(sequences)
  await other.step(sequences)
  t.deepEqual(other.params, trainer.params)
  t.deepEqual(await other.state(), await trainer.state())
  trainer.resetOptimizer({ ...plainAdam, learningRate: 0.5 })
  t.is((await trainer.state()).step, 0)
  t.is(sum((await trainer.state()).v), 0)
  t.is((await trainer.step(sequences)).learningRate, 0.5)
  t.throws(() => trainer.restore({ step: 1, m: new Float32Array(3), v: new Float32Array(3) }), { code: 'E_CHECKPOINT' })
  await trainer.dispose()
  await other.dispose()
})

test('norm gains are not decayed, every other weight is', async (t) => {
  const params = initParams(tiny, seededRandom(1))
  const flat: LossFunction = (logprobs) => ({ loss: tf.mul(tf.sum(logprobs), 0) as tf.Scalar, metrics: [] })
  const optimizer = { ...plainAdam, learningRate: 0.1, weightDecay: 0.5 }
  const trainer = createTrainer(tiny, params, flat, { optimizer, engine: { backend: 'cpu' }, rows: 1 })
  const before = params.slice()
  await trainer.step(sequencesOf([[1, 4, 5]], 1))
  for (const { name, offset, length } of paramLayout(tiny).entries) {
    const kept = name.endsWith('norm.weight') ? 1 : 0.95
    const expected = before.subarray(offset, offset + length).map((value) => value * kept)
    t.true(worst(params.subarray(offset, offset + length), expected) < 3e-7, name)
  }
  await trainer.dispose()
})

test('the learning rate warms up, then follows its schedule to the end', (t) => {
  const base = { ...plainAdam, learningRate: 1, warmupSteps: 4, totalSteps: 12, finalFraction: 0.2 }
  const at = (schedule: 'constant' | 'cosine' | 'linear', step: number) => learningRateAt({ ...base, schedule }, step)
  t.deepEqual(
    [0, 1, 2, 3].map((step) => at('cosine', step)),
    [0.25, 0.5, 0.75, 1],
  )
  t.is(at('constant', 100), 1)
  t.true(
    worst(
      [4, 8, 12, 20].map((step) => at('linear', step)),
      [1, 0.6, 0.2, 0.2],
    ) < 1e-12,
  )
  t.true(
    worst(
      [4, 6, 8, 12, 20].map((step) => at('cosine', step)),
      [1, 0.2 + 0.8 * (0.5 + Math.SQRT1_2 / 2), 0.6, 0.2, 0.2],
    ) < 1e-12,
  )
  const params = initParams(tiny, seededRandom(1))
  const optimizer = { ...plainAdam, beta2: 1 }
  t.throws(() => createTrainer(tiny, params, nllLoss, { optimizer, engine: { backend: 'cpu' }, rows: 1 }), {
    code: 'E_CONFIG',
    message: /beta2/,
  })
})
