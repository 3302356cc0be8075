import test from 'ava'
import { initParams } from '../../models/layout.js'
import { openModel } from '../../models/model.js'
import type { Completion, GenerateRequest, WeightUpdates } from '../../models/types.js'
import { seededRandom } from '../../runtime/time/random.js'
import { tiny, worst } from './support.js'

const older = initParams(tiny, seededRandom(7)).map((value) => value * 2)
const newer = initParams(tiny, seededRandom(8)).map((value) => value * 2)
const sampling = { temperature: 0.8, topK: 0, topP: 1, maxNewTokens: 12, stopTokens: [] }
const requests: GenerateRequest[] = [3, 17, 9, 30].map((length, index) => ({
  prompt: Int32Array.from({ length }, (_, i) => 3 + ((index + i) % 17)),
  n: 2,
  random: seededRandom(3, 'prompt', index),
}))

/** Generates with new weights that come before run `at` of a graph. */
async function updated(at: number, keys: WeightUpdates['keys'], resident = false, batch = 16) {
  const params = older.slice()
  const model = openModel(tiny, params, { backend: 'onnx', batch, resident })
  let calls = 0
  const refresh = () => {
    if (calls++ === at) params.set(newer)
    return calls > at ? 6 : 5
  }
  const groups = await model.generate(requests, sampling, { updates: { refresh, keys } })
  await model.dispose()
  return groups
}

async function logprobsUnder(params: Float32Array, groups: Completion[][]) {
  const model = openModel(tiny, params, { backend: 'onnx' })
  const sequences = groups.flatMap((group, index) =>
    group.map(({ tokens }) => ({
      tokens: Int32Array.of(...requests[index]!.prompt, ...tokens),
      promptLength: requests[index]!.prompt.length,
    })),
  )
  const logprobs = await model.logprobs(sequences)
  await model.dispose()
  return logprobs
}

for (const resident of [false, true])
  test(`recomputed keys: each token is of the policy whose version it carries (resident: ${resident})`, async (t) => {
    const plain = openModel(tiny, older.slice(), { backend: 'onnx', batch: 16 })
    const before = await plain.generate(requests, sampling)
    await plain.dispose()
    const groups = await updated(7, 'recompute', resident)
    const [old, fresh] = [await logprobsUnder(older, groups), await logprobsUnder(newer, groups)]
    groups.flat().forEach(({ tokens, versions, logprobs }, index) => {
      const first = versions!.indexOf(6)
      t.true(first > 0 && first < tokens.length)
      t.deepEqual(
        [...versions!],
        Array.from(tokens, (_, i) => (i < first ? 5 : 6)),
      )
      const expected = Array.from(tokens, (_, i) => (i < first ? old : fresh)[index]![i]!)
      t.true(worst(logprobs, expected) < 1e-4)
      t.deepEqual(tokens.slice(0, first), before.flat()[index]!.tokens.slice(0, first))
    })
    t.notDeepEqual(
      groups.flat().map(({ tokens }) => [...tokens]),
      before.flat().map(({ tokens }) => [...tokens]),
    )
  })

test('kept keys: tokens after an update are of neither policy alone, those before it are of the old one', async (t) => {
  const groups = await updated(7, 'keep')
  t.deepEqual(groups, await updated(7, undefined), 'keeping is the default')
  const [old, fresh] = [await logprobsUnder(older, groups), await logprobsUnder(newer, groups)]
  groups.flat().forEach(({ versions, logprobs }, index) => {
    const first = versions!.indexOf(6)
    t.true(worst(logprobs.slice(0, first), old[index]!.slice(0, first)) < 1e-4)
    t.true(worst(logprobs.slice(first), fresh[index]!.slice(first)) > 1e-3)
    t.true(worst(logprobs.slice(first), old[index]!.slice(first)) > 1e-3)
  })
})

test('a sequence that waits while weights change is read anew, too, when it enters', async (t) => {
  const groups = await updated(9, 'recompute', false, 2)
  const [old, fresh] = [await logprobsUnder(older, groups), await logprobsUnder(newer, groups)]
  let mixed = 0
  groups.flat().forEach(({ tokens, versions, logprobs }, index) => {
    const expected = Array.from(tokens, (_, i) => (versions![i] === 5 ? old : fresh)[index]![i]!)
    t.true(worst(logprobs, expected) < 1e-4)
    if (versions!.indexOf(6) === 1) mixed++
  })
  t.true(mixed > 0, 'one drew its first token before the update and the others after')
})

test('versions without new weights change nothing', async (t) => {
  const model = openModel(tiny, older.slice(), { backend: 'onnx', batch: 16 })
  const plain = await model.generate(requests, sampling)
  const followed = await model.generate(requests, sampling, { updates: { refresh: () => 3, keys: 'recompute' } })
  followed.flat().forEach(({ versions, ...rest }, index) => {
    t.deepEqual(rest, plain.flat()[index])
    t.deepEqual(
      [...versions!],
      Array.from(rest.tokens, () => 3),
    )
  })
  await model.dispose()
})

test('an abort ends generation before its next graph run, with the reason', async (t) => {
  const model = openModel(tiny, older.slice(), { backend: 'onnx', resident: true })
  const stop = new AbortController()
  const reason = new Error('enough')
  let runs = 0
  const refresh = () => {
    if (++runs === 4) stop.abort(reason)
    return 1
  }
  const generating = model.generate(requests, sampling, { signal: stop.signal, updates: { refresh } })
  t.is(await t.throwsAsync(generating), reason)
  t.is(runs, 4)
  t.is((await model.generate(requests, sampling)).flat().length, 8, 'the model is as usable as before')
  await model.dispose()
})

test('weights that become numbers no more in mid-generation are reported', async (t) => {
  const params = older.slice()
  const model = openModel(tiny, params, { backend: 'onnx' })
  let runs = 0
  const refresh = () => {
    if (++runs === 4) params.fill(Number.NaN)
    return runs < 4 ? 1 : 2
  }
  const generating = model.generate(requests, sampling, { updates: { refresh, keys: 'recompute' } })
  await t.throwsAsync(generating, { code: 'E_DATA', message: /not numbers/ })
  params.set(older)
  const again = await model.generate(requests, sampling)
  t.true(again.flat().every(({ logprobs }) => logprobs.every(Number.isFinite)))
  await model.dispose()
})
