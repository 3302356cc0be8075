import '@tensorflow/tfjs-backend-cpu'
import * as tf from '@tensorflow/tfjs-core'
import test from 'ava'
import { initParams } from '../../models/layout.js'
import { openModel } from '../../models/model.js'
import type { Completion, GenerateRequest } from '../../models/types.js'
import { seededRandom } from '../../runtime/time/random.js'
import { tiny, worst } from './support.js'

const params = initParams(tiny, seededRandom(7)).map((value) => value * 2)
const sampling = { temperature: 0.8, topK: 0, topP: 1, maxNewTokens: 20, stopTokens: [2] }

/** Prompts of 1 to 30 tokens. */
const requests = (count: number, n: number, seed = 3): GenerateRequest[] =>
  Array.from({ length: count }, (_, index) => ({
    prompt: Int32Array.from({ length: 1 + ((index * 7) % 30) }, (_, i) => 3 + ((index + i) % 17)),
    n,
    random: seededRandom(seed, 'prompt', index),
  }))

const tokensOf = (groups: Completion[][]) => groups.map((group) => group.map(({ tokens }) => [...tokens]))

for (const backend of ['cpu', 'onnx'] as const)
  test(`${backend}: decoding with the cache gives the log-probabilities of the full forward pass`, async (t) => {
    const model = openModel(tiny, params, { backend, batch: 8 })
    const asked = requests(7, 3)
    const groups = await model.generate(asked, sampling)
    const sequences = groups.flatMap((group, index) =>
      group.map(({ tokens }) => ({
        tokens: Int32Array.of(...asked[index]!.prompt, ...tokens),
        promptLength: asked[index]!.prompt.length,
      })),
    )
    const full = await model.logprobs(sequences)
    groups.flat().forEach((completion, index) => {
      t.true(worst(completion.logprobs, full[index]!) < 1e-4)
    })
    await model.dispose()
  })

test('equal requests, weights and seeds give equal tokens; another seed gives others', async (t) => {
  const model = openModel(tiny, params, { backend: 'onnx', batch: 16 })
  const first = tokensOf(await model.generate(requests(11, 4), sampling))
  t.deepEqual(tokensOf(await model.generate(requests(11, 4), sampling)), first)
  t.notDeepEqual(tokensOf(await model.generate(requests(11, 4, 4), sampling)), first)
  t.notDeepEqual(first[1]![0], first[1]![1])
  await model.dispose()
})

test('a candidate does not depend on the batch around it', async (t) => {
  const alone = openModel(tiny, params, { backend: 'onnx', batch: 1 })
  const together = openModel(tiny, params, { backend: 'onnx', batch: 64 })
  const expected = tokensOf(await together.generate(requests(9, 2), sampling))
  t.deepEqual(tokensOf(await alone.generate(requests(9, 2), sampling)), expected)
  await alone.dispose()
  await together.dispose()
})

test('a completion ends with its stop token, at the limit, or at the last position', async (t) => {
  const model = openModel(tiny, params, { backend: 'onnx' })
  const groups = await model.generate(requests(12, 4), sampling)
  let stopped = 0
  for (const { tokens, finish, logprobs, samplingLogprobs } of groups.flat()) {
    t.is(tokens.length, logprobs.length)
    t.is(tokens.length, samplingLogprobs.length)
    t.is(tokens.indexOf(2), finish === 'stop' ? tokens.length - 1 : -1)
    if (finish === 'length') t.is(tokens.length, 20)
    else stopped++
  }
  t.true(stopped > 0 && stopped < 48)
  const prompt = new Int32Array(60).fill(5)
  const random = seededRandom(1)
  const [[last]] = (await model.generate([{ prompt, n: 1, random }], { ...sampling, stopTokens: [] })) as [[Completion]]
  t.is(last.tokens.length, 4)
  t.is(last.finish, 'length')
  const full = new Int32Array(64).fill(5)
  await t.throwsAsync(model.generate([{ prompt: full, n: 1, random }], sampling), {
    code: 'E_DATA',
    message: /64 tokens and 1 to write do not fit the model's 64 positions/,
  })
  t.deepEqual(await model.generate([], sampling), [])
  t.deepEqual(await model.generate([{ prompt, n: 0, random }], sampling), [[]])
  await model.dispose()
})

test('weights written between two calls are the ones that the second call uses', async (t) => {
  const own = params.slice()
  const model = openModel(tiny, own, { backend: 'onnx' })
  const sequence = { tokens: Int32Array.of(1, 4, 5, 6), promptLength: 1 }
  const [before] = await model.logprobs([sequence])
  own.set(initParams(tiny, seededRandom(8)))
  const [after] = await model.logprobs([sequence])
  t.true(worst(before!, after!) > 0.01)
  await model.dispose()
})

test('weights that have diverged are reported, not sampled from', async (t) => {
  const model = openModel(tiny, params.slice().fill(Number.NaN), { backend: 'cpu' })
  await t.throwsAsync(model.generate(requests(1, 1), sampling), { code: 'E_DATA', message: /not numbers/ })
  await model.dispose()
})

test('tf.memory() is flat', async (t) => {
  const model = openModel(tiny, params, { backend: 'cpu', batch: 8 })
  await model.generate(requests(2, 2), { ...sampling, maxNewTokens: 3 })
  const before = tf.memory().numTensors
  await model.generate(requests(2, 2), { ...sampling, maxNewTokens: 3 })
  await model.logprobs([{ tokens: Int32Array.of(1, 4, 5, 6), promptLength: 1 }])
  t.is(tf.memory().numTensors, before)
  await model.dispose()
})
