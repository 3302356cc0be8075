import test from 'ava'
import fc from 'fast-check'
import { initParams } from '../../models/layout.js'
import { openModel } from '../../models/model.js'
import { nllLoss } from '../../models/nll.js'
import { planRows } from '../../models/packing.js'
import { createTrainer } from '../../models/trainer.js'
import { seededRandom } from '../../runtime/time/random.js'
import { plainAdam, tiny, worst } from './support.js'

const random = seededRandom(11)
/** Sequences of 1 to 50 tokens, most of them short. */
const sequences = Array.from({ length: 40 }, () => {
  const length = 1 + Math.floor(50 * random.float() ** 3)
  return {
    tokens: Int32Array.from({ length }, () => 3 + random.int(17)),
    promptLength: 1 + random.int(length),
  }
})

test('every sequence has its own places, and under a tenth of the places stay empty', (t) => {
  // lengths as corpora have them: log-normal, uniform and of two kinds, together several rows
  const skewed = fc.array(fc.double({ min: -2, max: 2, noNaN: true }), { minLength: 64, maxLength: 300 })
  const lengths = fc.oneof(
    skewed.map((xs) => xs.map((x) => Math.max(2, Math.round(30 * Math.exp(0.6 * x))))),
    fc.array(fc.integer({ min: 4, max: 200 }), { minLength: 64, maxLength: 300 }),
    fc.array(fc.constantFrom(12, 70), { minLength: 64, maxLength: 300 }),
    fc.array(fc.constant(65), { minLength: 64, maxLength: 300 }),
  )
  fc.assert(
    fc.property(lengths, (list) => {
      const { rows, length, places } = planRows(list, 16)
      const used = new Uint8Array(rows * length)
      list.forEach((size, index) => {
        const { row, start } = places[index]!
        t.true(row < rows && start + size <= length)
        for (let t_ = 0; t_ < size; t_++) used[row * length + start + t_]!++
      })
      t.true(used.every((count) => count <= 1))
      const filled = list.reduce((sum, size) => sum + size, 0)
      t.true(filled / (rows * length) > 0.9, `${filled} tokens in ${rows} rows of ${length}`)
    }),
    { numRuns: 60, seed: 1 },
  )
})

const window = { ...tiny, architecture: 'mistral', slidingWindow: 7 } as unknown as typeof tiny
for (const [name, config] of [
  ['llama', tiny],
  ['sliding window', window],
] as const)
  test(`${name}: packed log-probabilities and gradients are those of padded rows`, async (t) => {
    const params = initParams(config, seededRandom(5)).map((value) => value * 2)
    const runs = await Promise.all(
      [false, true].map(async (packing) => {
        const engine = { backend: 'onnx', packing } as const
        const model = openModel(config, params, engine)
        const logprobs = await model.logprobs(sequences)
        const optimizer = { ...plainAdam, learningRate: 0 }
        const trainer = createTrainer(config, params, nllLoss, { optimizer, engine, rows: 8 })
        const weights = { shape: [40], data: Float32Array.from(sequences, (_, i) => 1 + (i % 3)) }
        const { loss } = await trainer.step(sequences, [weights])
        const { m } = await trainer.state()
        await Promise.all([model.dispose(), trainer.dispose()])
        return { logprobs, loss, m }
      }),
    )
    const [padded, packed] = runs as [(typeof runs)[0], (typeof runs)[0]]
    sequences.forEach(({ tokens, promptLength }, i) => {
      t.is(packed.logprobs[i]!.length, tokens.length - promptLength)
      t.true(worst(packed.logprobs[i]!, padded.logprobs[i]!) < 1e-5)
    })
    t.true(Math.abs(packed.loss - padded.loss) < 1e-5)
    t.true(worst(packed.m, padded.m) < 1e-6)
  })
