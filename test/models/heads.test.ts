import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import '@tensorflow/tfjs-backend-cpu'
import * as tf from '@tensorflow/tfjs-core'
import test from 'ava'
import { loadCheckpoint, saveCheckpoint } from '../../models/checkpoint.js'
import { headLayout } from '../../models/head-layout.js'
import {
  addHead,
  createRewardTrainer,
  createValueTrainer,
  openRewardModel,
  openValueModel,
  type RewardLoss,
} from '../../models/heads.js'
import { initParams, paramLayout } from '../../models/layout.js'
import type { LossFunction } from '../../runtime/tensor/index.js'
import { seededRandom } from '../../runtime/time/random.js'
import { plainAdam, readFixture, tiny, tinyLlama, worst } from './support.js'

const theirs = readFixture('tiny-llama-heads.json')
const still = { ...plainAdam, learningRate: 0 }
const rows: Int32Array[] = theirs.rows.map((row: number[]) => Int32Array.from(row))

/** −log σ(first − second): Bradley–Terry on one pair. */
const bradleyTerry: RewardLoss = (scores, _extras, mean) => {
  const [chosen, rejected] = tf.split(scores, 2) as [tf.Tensor, tf.Tensor]
  return { loss: mean(tf.sum(tf.softplus(tf.sub(rejected, chosen))), tf.scalar(1)), metrics: [] }
}

async function rewardLlama() {
  const { config, params } = await tinyLlama()
  const flat = addHead(config, params, 'reward', seededRandom(1))
  flat.set(theirs['score.weight'], flat.length - config.hiddenSize)
  return { config, flat }
}

for (const [backend, packing] of [
  ['cpu', false],
  ['onnx', false],
  ['onnx', true],
] as const)
  test(`${backend}${packing ? ', packed' : ''}: scores, loss and gradients are those of LlamaForSequenceClassification`, async (t) => {
    const { config, flat } = await rewardLlama()
    const engine = { backend, packing }
    const model = openRewardModel(config, flat, engine)
    t.true(worst(await model.scores(rows), theirs.scores) < 1e-5)
    const trainer = createRewardTrainer(config, flat, bradleyTerry, { optimizer: still, engine, rows: 2 })
    const result = await trainer.step(rows.map((tokens) => ({ tokens, promptLength: 1 })))
    t.true(Math.abs(result.loss - theirs.bradleyTerry) < 1e-5)
    t.is(result.tokens, 14)
    const { m } = await trainer.state()
    for (const { name, offset, length } of headLayout(config, 'reward').entries)
      if (theirs.gradients[name])
        t.true(
          worst(
            m.subarray(offset, offset + length).map((x) => 10 * x),
            theirs.gradients[name],
          ) < 1e-5,
          name,
        )
    await Promise.all([model.dispose(), trainer.dispose()])
  })

test("values of every position are those of PyTorch's linear layer on the last hidden states", async (t) => {
  const { config, params } = await tinyLlama()
  const flat = addHead(config, params, 'value', seededRandom(1))
  const sequences = rows.map((tokens) => ({ tokens, promptLength: 1 }))
  const model = openValueModel(config, flat, { backend: 'onnx' })
  t.true((await model.values(sequences)).every((values) => values.every((value) => value === 0)))
  flat.set([...theirs['score.weight'], theirs['v_head.summary.bias']], paramLayout(config).total)
  const values = await model.values(sequences)
  // the last position has no token after it
  for (const [i, wanted] of theirs.values.entries()) t.true(worst(values[i]!, wanted.slice(0, -1)) < 1e-5)
  await model.dispose()
})

/** Policy and value in one loss: −mean log π + mean (V − return)². */
const actorCritic: LossFunction = (logprobs, mask, [values, returns], mean) => {
  const count = tf.sum(mask)
  const error = tf.mul(mask, tf.squaredDifference(values!, returns!))
  return { loss: tf.sub(mean!(tf.sum(error), count), mean!(tf.sum(logprobs), count)), metrics: [] }
}

test('a value head and its decoder have the slopes of a shared loss (finite differences); a frozen decoder has none', async (t) => {
  const config = { ...tiny, vocabSize: 9, numHiddenLayers: 1 }
  const random = seededRandom(3)
  const flat = addHead(config, initParams(config, random), 'value', random).map((x) => (x === 1 ? 0.8 : x * 8))
  const head = headLayout(config, 'value').entries.slice(-2)
  for (let i = head[0]!.offset; i < flat.length; i++) flat[i] = 0.3 * random.normal()
  const sequences = [
    { tokens: Int32Array.of(1, 4, 5, 6, 7), promptLength: 2 },
    { tokens: Int32Array.of(1, 8, 3), promptLength: 1 },
  ]
  const returns = { perToken: [Float32Array.of(1, -1, 0.5), Float32Array.of(0.3, 2)] }
  const run = async (params: Float32Array, trunk: 'trained' | 'frozen') => {
    const options = { optimizer: still, engine: { backend: 'cpu' }, rows: 2, lengthBucket: 8, trunk } as const
    const trainer = createValueTrainer(config, params, actorCritic, options)
    const { loss } = await trainer.step(sequences, [returns])
    return { loss, gradient: (await trainer.state()).m.map((x) => 10 * x) }
  }
  const { gradient } = await run(flat, 'trained')
  for (const { name, offset, length } of headLayout(config, 'value').entries) {
    const index = offset + random.int(length)
    const at = async (change: number) => {
      const moved = flat.slice()
      moved[index]! += change
      return (await run(moved, 'trained')).loss
    }
    const slope = ((await at(1e-2)) - (await at(-1e-2))) / 2e-2
    t.true(Math.abs(slope - gradient[index]!) < 2e-3 + 0.02 * Math.abs(slope), `${name}: ${slope}, ${gradient[index]}`)
  }
  const alone = await run(flat, 'frozen')
  const start = head[0]!.offset
  t.true(alone.gradient.subarray(0, start).every((x) => x === 0))
  t.true(worst(alone.gradient.subarray(start), gradient.subarray(start)) < 1e-6)
})

test('a vector without its head is refused', (t) => {
  const params = initParams(tiny, seededRandom(1))
  t.throws(() => openRewardModel(tiny, params, { backend: 'cpu' }), { code: 'E_CONFIG', message: /reward head/ })
})

test('checkpoints keep a head under the names of transformers and TRL', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'troupe-head-'))
  t.teardown(() => rm(folder, { recursive: true }))
  const reward = await rewardLlama() // its base is not tied: there is an output matrix to leave out
  const at = (name: string) => join(folder, name)
  await saveCheckpoint(at('reward'), { config: reward.config, params: reward.flat, head: 'reward' })
  t.deepEqual((await loadCheckpoint(at('reward'), { head: 'reward' })).params, reward.flat)
  const settings = JSON.parse(await readFile(join(at('reward'), 'config.json'), 'utf8'))
  t.deepEqual([settings.architectures, settings.id2label], [['LlamaForSequenceClassification'], { 0: 'LABEL_0' }])
  await t.throwsAsync(loadCheckpoint(at('reward')), { code: 'E_CHECKPOINT' })
  const value = addHead(tiny, initParams(tiny, seededRandom(1)), 'value', seededRandom(1))
  value.set([0.5], value.length - 1)
  await saveCheckpoint(at('value'), { config: tiny, params: value, head: 'value' })
  t.deepEqual((await loadCheckpoint(at('value'), { head: 'value' })).params, value)
  const bytes = await readFile(join(at('value'), 'model.safetensors'), 'latin1')
  t.true(bytes.includes('"v_head.summary.weight"') && bytes.includes('"v_head.summary.bias"'))
  await t.throwsAsync(saveCheckpoint(at('bad'), { config: tiny, params: value, head: 'reward' }), { code: 'E_CONFIG' })
})
