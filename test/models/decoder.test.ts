import test from 'ava'
import { initParams } from '../../models/layout.js'
import { openModel } from '../../models/model.js'
import type { Completion } from '../../models/types.js'
import { seededRandom } from '../../runtime/time/random.js'
import { logitsOf, tiny, tinyLlama, worst } from './support.js'

for (const backend of ['cpu', 'onnx'] as const) {
  test(`${backend}: logits are those of transformers to 1e-4`, async (t) => {
    const { config, params, expected } = await tinyLlama()
    for (const [index, row] of expected.rows.entries()) {
      const logits = await logitsOf(config, params, Int32Array.from(row), backend)
      t.true(worst(logits, expected.logits[index]) < 1e-4)
    }
  })

  test(`${backend}: greedy decoding continues exactly as transformers does`, async (t) => {
    const { config, params, expected } = await tinyLlama()
    const model = openModel(config, params, { backend })
    const request = { prompt: Int32Array.from(expected.greedyPrompt), n: 1, random: seededRandom(1) }
    const greedy = { temperature: 0, topK: 0, topP: 1, maxNewTokens: expected.greedy.length, stopTokens: [] }
    const [[completion]] = (await model.generate([request], greedy)) as [[Completion]]
    t.deepEqual([...completion.tokens], expected.greedy)
    await model.dispose()
  })

  test(`${backend}: padding on the right does not change a logprob`, async (t) => {
    const params = initParams(tiny, seededRandom(5))
    const model = openModel(tiny, params, { backend })
    const short = { tokens: Int32Array.of(1, 4, 5, 6), promptLength: 1 }
    const long = { tokens: Int32Array.from({ length: 40 }, (_, i) => 1 + (i % 19)), promptLength: 1 }
    const [alone] = await model.logprobs([short])
    const [together] = await model.logprobs([short, long])
    t.true(worst(together!, alone!) < 1e-5)
    await model.dispose()
  })
}

test('a later token never reaches an earlier position', async (t) => {
  const params = initParams(tiny, seededRandom(5)).map((value) => value * 5)
  const before = await logitsOf(tiny, params, Int32Array.of(1, 4, 5, 6), 'cpu')
  const after = await logitsOf(tiny, params, Int32Array.of(1, 4, 5, 9), 'cpu')
  t.deepEqual(before.slice(0, 3 * tiny.vocabSize), after.slice(0, 3 * tiny.vocabSize))
  t.true(worst(before.slice(3 * tiny.vocabSize), after.slice(3 * tiny.vocabSize)) > 1e-3)
})

test('wrong tokens and lengths are refused by name', async (t) => {
  const model = openModel(tiny, initParams(tiny, seededRandom(5)), { backend: 'cpu' })
  const score = (tokens: number[], promptLength: number) =>
    model.logprobs([{ tokens: Int32Array.from(tokens), promptLength }])
  await t.throwsAsync(score([1, 20], 1), { code: 'E_DATA', message: /token 20 is not in the vocabulary of 20/ })
  await t.throwsAsync(score([1, -1], 1), { code: 'E_DATA' })
  await t.throwsAsync(score([], 1), { code: 'E_DATA', message: /no tokens/ })
  await t.throwsAsync(score([1, 2], 0), { code: 'E_DATA', message: /promptLength must be from 1 to 2/ })
  await t.throwsAsync(score(new Array(65).fill(1), 1), {
    code: 'E_DATA',
    message: /do not fit the model's 64 positions/,
  })
  t.throws(() => openModel(tiny, new Float32Array(3), { backend: 'cpu' }), { code: 'E_CONFIG' })
  t.throws(() => openModel({ ...tiny, numKeyValueHeads: 3 }, new Float32Array(3), { backend: 'cpu' }), {
    code: 'E_CONFIG',
    message: /multiple of numKeyValueHeads/,
  })
})
