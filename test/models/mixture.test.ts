import '@tensorflow/tfjs-backend-cpu'
import * as tf from '@tensorflow/tfjs-core'
import test from 'ava'
import { geometricMixture } from '../../alignment/index.js'
import { geometricMix } from '../../alignment/tabular/index.js'
import { initParams } from '../../models/layout.js'
import { openMixture } from '../../models/mixture.js'
import { openModel } from '../../models/model.js'
import type { Completion, GenerateRequest } from '../../models/types.js'
import { seededRandom } from '../../runtime/time/random.js'
import { logitsOf, sum, tiny, worst } from './support.js'

const [policy, reference] = [7, 8].map((seed) => initParams(tiny, seededRandom(seed)).map((value) => value * 2)) as [
  Float32Array,
  Float32Array,
]
const sampling = { temperature: 0.8, topK: 0, topP: 0.95, maxNewTokens: 20, stopTokens: [2] }
const plain = { ...sampling, temperature: 1, topP: 1 }

const requests = (count: number, n: number): GenerateRequest[] =>
  Array.from({ length: count }, (_, index) => ({
    prompt: Int32Array.from({ length: 1 + ((index * 7) % 30) }, (_, i) => 3 + ((index + i) % 17)),
    n,
    random: seededRandom(3, 'prompt', index),
  }))

/** Softmax of one row of logits, in float64. */
function softmax(logits: Float32Array): number[] {
  const shares = Array.from(logits, (x) => Math.exp(x))
  return shares.map((share) => share / sum(shares))
}

for (const backend of ['cpu', 'onnx'] as const)
  for (const resident of [false, true])
    test(`${backend}${resident ? ', on the device' : ''}: at 0 the mixture is the first model, at 1 the second, to the bit`, async (t) => {
      const engine = { backend, resident, batch: 6 }
      const asked = requests(5, 2)
      for (const [weight, own] of [policy, reference].entries()) {
        const mixture = openMixture(tiny, policy, reference, weight, engine)
        const model = openModel(tiny, own, engine)
        const expected = (await model.generate(asked, sampling)).flat()
        const actual = (await mixture.generate(asked, sampling)).flat()
        actual.forEach(({ tokens, samplingLogprobs, finish }, i) => {
          t.deepEqual([...tokens], [...expected[i]!.tokens])
          t.deepEqual([...samplingLogprobs], [...expected[i]!.samplingLogprobs])
          t.is(finish, expected[i]!.finish)
        })
        await Promise.all([mixture.dispose(), model.dispose()])
      }
    })

for (const backend of ['cpu', 'onnx'] as const)
  test(`${backend}: every token is drawn from the mixture, and its log-probability is the policy’s`, async (t) => {
    const mixture = openMixture(tiny, policy, reference, 0.3, { backend, batch: 8 })
    const model = openModel(tiny, policy, { backend })
    const asked = requests(6, 2)
    const groups = await mixture.generate(asked, plain)
    for (const [index, group] of groups.entries())
      for (const { tokens, logprobs, samplingLogprobs } of group) {
        const { prompt } = asked[index]!
        const all = Int32Array.of(...prompt, ...tokens)
        const [full] = await model.logprobs([{ tokens: all, promptLength: prompt.length }])
        t.true(worst(logprobs, full!) < 1e-4)
        const [own, other] = await Promise.all(
          [policy, reference].map(async (params) =>
            tf.tensor(await logitsOf(tiny, params, all, backend), [all.length, tiny.vocabSize]),
          ),
        )
        const mixed = geometricMixture(own!, other!, 0.3).arraySync() as number[][]
        const wanted = Array.from(tokens, (token, i) => mixed[prompt.length + i - 1]![token]!)
        t.true(worst(samplingLogprobs, wanted) < 1e-4)
      }
    await Promise.all([mixture.dispose(), model.dispose()])
  })

for (const backend of ['cpu', 'onnx'] as const)
  test(`${backend}: the first token is distributed as the table of the mixture says`, async (t) => {
    const prompt = Int32Array.of(1, 4, 9)
    const draws = 4000
    const weight = 0.375
    const [own, other] = (
      await Promise.all([policy, reference].map((params) => logitsOf(tiny, params, prompt, backend)))
    ).map((logits) => softmax(logits.slice(-tiny.vocabSize))) as [number[], number[]]
    const mixture = openMixture(tiny, policy, reference, weight, { backend })
    const asked = { prompt, n: draws, random: seededRandom(5, 'draws') }
    const [group] = await mixture.generate([asked], { ...plain, maxNewTokens: 1 })
    const counts = new Array<number>(tiny.vocabSize).fill(0)
    for (const { tokens } of group!) counts[tokens[0]!]!++
    const chiSquare = (shares: readonly number[]) =>
      sum(shares.map((share, token) => (counts[token]! - draws * share) ** 2 / (draws * share)))
    t.true(chiSquare(geometricMix(own, other, weight)) < 43.8, '19 degrees of freedom, p = 0.001')
    // Neither the models themselves, nor a mixture of their probabilities, nor the weights the other way round would do.
    const arithmetic = own.map((p, i) => (1 - weight) * p + weight * other[i]!)
    for (const wrong of [own, other, arithmetic, geometricMix(other, own, weight)]) t.true(chiSquare(wrong) > 43.8)
    await mixture.dispose()
  })

test('temperature, top-k and top-p are those of the mixture', async (t) => {
  const prompt = Int32Array.of(1, 4, 9)
  const rows = await Promise.all([policy, reference].map((params) => logitsOf(tiny, params, prompt, 'onnx')))
  const [own, other] = rows.map((logits) => softmax(logits.slice(-tiny.vocabSize))) as [number[], number[]]
  const cold = geometricMix(own, other, 0.5).map((p) => p ** (1 / 0.5))
  const kept = cold.toSorted((a, b) => b - a).slice(0, 3)
  const mixture = openMixture(tiny, policy, reference, 0.5, { backend: 'onnx' })
  const options = { ...plain, temperature: 0.5, topK: 3, maxNewTokens: 1 }
  const [group] = await mixture.generate([{ prompt, n: 200, random: seededRandom(6) }], options)
  const drawn = new Map(group!.map(({ tokens, samplingLogprobs }) => [tokens[0]!, samplingLogprobs[0]!]))
  t.is(drawn.size, 3)
  for (const [token, logprob] of drawn) t.true(Math.abs(logprob - Math.log(cold[token]! / sum(kept))) < 1e-5)
  await mixture.dispose()
})

test('a candidate does not depend on the batch around it, and both vectors stay the caller’s', async (t) => {
  const own = policy.slice()
  const texts = (groups: Completion[][]) => groups.flat().map(({ tokens }) => [...tokens])
  const [alone, together] = [1, 64].map((batch) => openMixture(tiny, own, reference, 0.3, { backend: 'onnx', batch }))
  const asked = requests(9, 2)
  const expected = texts(await together!.generate(asked, sampling))
  t.deepEqual(texts(await alone!.generate(asked, sampling)), expected)
  own.set(reference)
  const after = texts(await together!.generate(asked, sampling))
  const model = openModel(tiny, reference, { backend: 'onnx' })
  t.deepEqual(after, texts(await model.generate(asked, sampling)), 'both are the reference now')
  await Promise.all([alone, together, model].map((one) => one!.dispose()))
})

test('newer weights of the policy between two steps: the keys of both models are read anew', async (t) => {
  const own = policy.slice()
  const mixture = openMixture(tiny, own, reference, 0.4, { backend: 'onnx' })
  const prompt = Int32Array.of(1, 4, 9)
  let runs = 0
  const refresh = () => {
    if (++runs === 4) own.set(initParams(tiny, seededRandom(9)))
    return runs < 4 ? 0 : 1
  }
  const [[written]] = (await mixture.generate(
    [{ prompt, n: 1, random: seededRandom(7) }],
    { ...plain, maxNewTokens: 8, stopTokens: [] },
    { updates: { refresh, keys: 'recompute' } },
  )) as [[Completion]]
  t.deepEqual([...written.versions!], [0, 0, 0, 1, 1, 1, 1, 1])
  const model = openModel(tiny, own, { backend: 'onnx' })
  const [full] = await model.logprobs([{ tokens: Int32Array.of(...prompt, ...written.tokens), promptLength: 3 }])
  t.true(worst(written.logprobs.slice(3), full!.slice(3)) < 1e-4)
  await Promise.all([mixture.dispose(), model.dispose()])
})

test('a weight that is no share, and vectors of another model, are refused', (t) => {
  const engine = { backend: 'onnx' } as const
  for (const weight of [-0.1, 1.1, Number.NaN])
    t.throws(() => openMixture(tiny, policy, reference, weight, engine), { code: 'E_CONFIG', message: /weight/ })
  t.throws(() => openMixture(tiny, policy, reference.slice(1), 0.5, engine), { code: 'E_CONFIG' })
})
