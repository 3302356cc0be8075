import '@tensorflow/tfjs-backend-cpu'
import * as tf from '@tensorflow/tfjs-core'
import test from 'ava'
import { initParams } from '../../models/layout.js'
import { openModel } from '../../models/model.js'
import type { Completion, EngineOptions, GenerateRequest } from '../../models/types.js'
import { seededRandom } from '../../runtime/time/random.js'
import { tiny, worst } from './support.js'

const params = initParams(tiny, seededRandom(7)).map((value) => value * 2)
const sampling = { temperature: 0.8, topK: 0, topP: 0.95, maxNewTokens: 24, stopTokens: [2] }

/** Prompts of 1 to 37 tokens, named: what one is answered hangs on its name alone. */
const request = (name: number, n = 2): GenerateRequest => ({
  prompt: Int32Array.from({ length: 1 + ((name * 7) % 37) }, (_, i) => 3 + ((name + i) % 17)),
  n,
  random: seededRandom(3, 'prompt', name),
})
const names = Array.from({ length: 14 }, (_, i) => i)

async function answers(engine: Omit<EngineOptions, 'backend'>, batches: readonly (readonly number[])[]) {
  const model = openModel(tiny, params, { backend: 'onnx', ...engine })
  const found: [number, Completion[]][] = []
  for (const batch of batches) {
    const groups = await model.generate(
      batch.map((name) => request(name)),
      sampling,
    )
    batch.forEach((name, i) => {
      found.push([name, groups[i]!])
    })
  }
  await model.dispose()
  return new Map(found)
}

test('same seed, same tokens: whatever the batch, its order and size, the threads and where the cache lies', async (t) => {
  const expected = await answers({ batch: 64 }, [names])
  const ways = {
    'the other way round': await answers({ batch: 64 }, [names.toReversed()]),
    'each alone, in one row': await answers(
      { batch: 1 },
      names.map((name) => [name]),
    ),
    'three rows': await answers({ batch: 3 }, [names.toReversed()]),
    'in two calls': await answers({ batch: 64 }, [names.filter((n) => n % 3 === 0), names.filter((n) => n % 3 > 0)]),
    'two threads': await answers({ batch: 64, threads: 2 }, [names]),
    'on the device': await answers({ batch: 5, resident: true }, [names]),
  }
  for (const [way, found] of Object.entries(ways))
    for (const name of names)
      for (const [i, completion] of found.get(name)!.entries()) {
        const wanted = expected.get(name)![i]!
        t.deepEqual([...completion.tokens], [...wanted.tokens], way)
        // with one thread to the bit; the engine parts its work among threads, and each part ends its vectors elsewhere
        const tolerance = way === 'two threads' ? 1e-5 : 0
        t.true(worst(completion.logprobs, wanted.logprobs) <= tolerance, way)
      }
})

for (const backend of ['cpu', 'onnx'] as const)
  test(`${backend}: a cache on the device gives what one on the host gives, and frees what it took`, async (t) => {
    const [host, device] = [false, true].map((resident) => openModel(tiny, params, { backend, batch: 6, resident }))
    const asked = names.slice(0, 7).map((name) => request(name))
    const expected = await host!.generate(asked, sampling)
    const before = tf.memory().numTensors
    const actual = await device!.generate(asked, sampling)
    actual.flat().forEach(({ tokens, samplingLogprobs }, i) => {
      t.deepEqual([...tokens], [...expected.flat()[i]!.tokens])
      t.true(worst(samplingLogprobs, expected.flat()[i]!.samplingLogprobs) < 1e-5)
    })
    await Promise.all([host!.dispose(), device!.dispose()])
    t.is(tf.memory().numTensors, before)
  })

test('limits at the edges of buckets', async (t) => {
  const model = openModel(tiny, params, { backend: 'onnx' })
  for (const length of [1, 15, 16, 17, 32])
    for (const maxNewTokens of [1, 15, 16, 17, 32]) {
      const prompt = new Int32Array(length).fill(5)
      const asked = { prompt, n: 1, random: seededRandom(1) }
      const [[completion]] = (await model.generate([asked], { ...sampling, maxNewTokens, stopTokens: [] })) as [
        [Completion],
      ]
      t.is(completion.tokens.length, maxNewTokens)
      t.is(completion.finish, 'length')
    }
  await model.dispose()
})

test('a stop token may come first, and a vocabulary may be one word', async (t) => {
  const model = openModel(tiny, params, { backend: 'onnx' })
  const every = Array.from({ length: tiny.vocabSize }, (_, token) => token)
  const stopped = await model.generate([request(4, 3)], { ...sampling, stopTokens: every })
  t.deepEqual(
    stopped[0]!.map(({ tokens, finish }) => [tokens.length, finish]),
    new Array(3).fill([1, 'stop']),
  )
  await model.dispose()
  const config = { ...tiny, vocabSize: 1, bosTokenId: 0, eosTokenId: 0, padTokenId: 0 }
  const single = openModel(config, initParams(config, seededRandom(1)), { backend: 'onnx' })
  const asked = { prompt: Int32Array.of(0), n: 1, random: seededRandom(1) }
  const [[completion]] = (await single.generate([asked], { ...sampling, stopTokens: [] })) as [[Completion]]
  t.deepEqual([...completion.tokens], new Array(24).fill(0))
  t.true(worst(completion.logprobs, new Float32Array(24)) < 1e-6)
  t.deepEqual([...completion.samplingLogprobs], new Array(24).fill(0))
  await single.dispose()
})

test('requests that cannot be answered are refused by their place', async (t) => {
  const model = openModel(tiny, params, { backend: 'cpu' })
  const refused = (wrong: Partial<GenerateRequest>) =>
    t.throwsAsync(model.generate([request(1), { ...request(2), ...wrong }], sampling), {
      code: 'E_DATA',
      message: /sequence 1: /,
    })
  await refused({ prompt: new Int32Array(0) })
  await refused({ prompt: new Int32Array(64) })
  await refused({ prompt: Int32Array.of(20) })
  await refused({ n: -1 })
  await refused({ n: 1.5 })
  await model.dispose()
})
