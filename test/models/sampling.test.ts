import test from 'ava'
import fc from 'fast-check'
import { initParams } from '../../models/layout.js'
import { openModel } from '../../models/model.js'
import { Sampler } from '../../models/sampling.js'
import type { SamplingOptions } from '../../models/types.js'
import { seededRandom } from '../../runtime/time/random.js'
import { logitsOf, sum, tiny, worst } from './support.js'

const options = (changes: Partial<SamplingOptions>): SamplingOptions => ({
  temperature: 1,
  topK: 0,
  topP: 1,
  maxNewTokens: 1,
  stopTokens: [],
  ...changes,
})

/** The tokens kept, most probable first. */
const kept = (changes: Partial<SamplingOptions>, probabilities: readonly number[]) => {
  const ranked = [...probabilities.keys()].sort((a, b) => probabilities[b]! - probabilities[a]! || a - b)
  // Offset by two foreign values: a row is read from where it begins.
  const row = Float32Array.of(9, 9, ...probabilities)
  const last = new Sampler(options(changes)).lowest(row, 2, probabilities.length)
  return last < 0 ? ranked : ranked.slice(0, ranked.indexOf(last) + 1)
}

test('top-k and top-p keep exactly the tokens that they should', (t) => {
  const p = [0.05, 0.4, 0.1, 0.3, 0.15]
  t.deepEqual(kept({ topK: 2 }, p), [1, 3])
  t.deepEqual(kept({ topK: 9 }, p), [1, 3, 4, 2, 0])
  t.deepEqual(kept({ topP: 0.39 }, p), [1])
  t.deepEqual(kept({ topP: 0.41 }, p), [1, 3], 'the token that crosses is included')
  t.deepEqual(kept({ topP: 0.86 }, p), [1, 3, 4, 2])
  t.deepEqual(kept({ topP: 0.99 }, p), [1, 3, 4, 2, 0])
  t.deepEqual(kept({ topK: 3, topP: 0.5 }, p), [1, 3], '0.4 of 0.85 is below a half, so the second joins')
  t.deepEqual(kept({ topK: 3, topP: 0.47 }, p), [1], '0.4 / 0.85 = 0.4706')
  t.deepEqual(kept({ topK: 2 }, [0.25, 0.25, 0.25, 0.25]), [0, 1], 'equal ones rank by id')
  t.deepEqual(kept({ topP: 0.5 }, [0.25, 0.25, 0.25, 0.25]), [0, 1])
  t.deepEqual(kept({ topP: 0.9 }, [0, 0, 1, 0]), [2])
})

test('what is kept agrees with sorting, for any distribution', (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 40 }).filter((counts) => sum(counts) > 0),
      fc.integer({ min: 0, max: 45 }),
      fc.integer({ min: 1, max: 1000 }),
      (counts, topK, perMille) => {
        // Probabilities k / 1024 and a p between two of their sums, so that no rounding decides.
        const p = counts.map((count) => count / 1024)
        const ranked = [...p.keys()].sort((a, b) => p[b]! - p[a]! || a - b).slice(0, topK || p.length)
        const mass = Math.round(sum(ranked.map((id) => counts[id]!)))
        const topP = perMille === 1000 || mass === 0 ? 1 : (Math.floor((perMille * mass) / 1000) + 0.5) / mass
        const reached = (id: number) => sum(ranked.slice(0, ranked.indexOf(id) + 1).map((one) => counts[one]!))
        const crossing = ranked.findIndex((id) => reached(id) >= topP * mass)
        const expected = topP < 1 ? ranked.slice(0, crossing + 1) : ranked
        const actual = kept({ topK, topP: Math.min(1, topP) }, p)
        t.deepEqual(actual, expected)
      },
    ),
    { seed: 5, numRuns: 300 },
  )
})

test('a draw takes the token whose share of the cumulated probability holds the quantile', (t) => {
  const p = Float32Array.of(0.05, 0.4, 0.1, 0.3, 0.15)
  const at = (u: number, changes: Partial<SamplingOptions> = {}) => {
    const { token, logprob } = new Sampler(options(changes)).draw(p, 0, 5, () => u)
    return [token, Math.round(Math.exp(logprob) * 1e4) / 1e4]
  }
  t.deepEqual(at(0), [0, 0.05])
  t.deepEqual(at(0.06), [1, 0.4])
  t.deepEqual(at(0.999999), [4, 0.15])
  t.deepEqual(at(0, { topK: 2 }), [1, 0.5714])
  t.deepEqual(at(0.58, { topK: 2 }), [3, 0.4286])
  t.deepEqual(at(0.7, { temperature: 0 }), [1, 1])
})

test('frequencies follow the distribution (χ², fixed seed)', (t) => {
  const random = seededRandom(11)
  const size = 60
  const raw = Array.from({ length: size }, () => Math.exp(1.5 * random.normal()))
  const p = Float32Array.from(raw, (value) => value / sum(raw))
  const draws = 40_000
  for (const changes of [{}, { topK: 12 }, { topP: 0.8 }, { topK: 30, topP: 0.9 }]) {
    const sampler = new Sampler(options(changes))
    const ids = kept(changes, [...p])
    const mass = sum(ids.map((id) => p[id]!))
    const counts = new Float64Array(size)
    for (let i = 0; i < draws; i++) counts[sampler.draw(p, 0, size, random.float).token]!++
    const chi = sum(ids.map((id) => (counts[id]! - (draws * p[id]!) / mass) ** 2 / ((draws * p[id]!) / mass)))
    const freedom = ids.length - 1
    t.true(chi < freedom + 4 * Math.sqrt(2 * freedom), `χ² ${chi.toFixed(1)} of ${freedom} degrees`)
    t.is(sum(ids.map((id) => counts[id]!)), draws, 'nothing else was drawn')
  }
})

test('generated tokens are distributed as softmax(logits / T), and both log-probabilities are right', async (t) => {
  const params = initParams(tiny, seededRandom(7)).map((value) => value * 8)
  const prompt = Int32Array.of(1, 6, 9)
  const logits = await logitsOf(tiny, params, prompt, 'cpu')
  const last = [...logits.slice(2 * tiny.vocabSize)]
  const temperature = 0.7
  const n = 4000
  const model = openModel(tiny, params, { backend: 'onnx' })
  const [group] = await model.generate([{ prompt, n, random: seededRandom(2) }], options({ temperature, topK: 8 }))
  const logSoftmax = (values: number[]) => {
    const total = Math.log(sum(values.map(Math.exp)))
    return values.map((value) => value - total)
  }
  const policy = logSoftmax(last)
  const order = [...last.keys()].sort((a, b) => last[b]! - last[a]!).slice(0, 8)
  const sampled = logSoftmax(order.map((id) => last[id]! / temperature))
  const counts = new Map(order.map((id) => [id, 0]))
  for (const { tokens, logprobs, samplingLogprobs } of group!) {
    const id = tokens[0]!
    t.true(worst([logprobs[0]!, samplingLogprobs[0]!], [policy[id]!, sampled[order.indexOf(id)]!]) < 1e-5)
    counts.set(id, counts.get(id)! + 1)
  }
  const chi = sum(
    order.map((id, i) => (counts.get(id)! - n * Math.exp(sampled[i]!)) ** 2 / (n * Math.exp(sampled[i]!))),
  )
  t.true(chi < 7 + 4 * Math.sqrt(14), `χ² ${chi}`)
  await model.dispose()
})

test('wrong options are refused by name', (t) => {
  for (const [changes, message] of [
    [{ temperature: -1 }, /temperature/],
    [{ temperature: Number.NaN }, /temperature/],
    [{ topK: 1.5 }, /topK/],
    [{ topP: 0 }, /topP/],
    [{ maxNewTokens: 0 }, /maxNewTokens/],
  ] as const)
    t.throws(() => new Sampler(options(changes)), { code: 'E_CONFIG', message })
})
