import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { createLoraTrainer, initLora, loraLayout, mergeLora } from '../../models/lora.js'
import { loadAdapter, saveAdapter } from '../../models/lora-files.js'
import { openModel } from '../../models/model.js'
import { nllLoss } from '../../models/nll.js'
import { createReference } from '../../models/reference.js'
import { createTrainer } from '../../models/trainer.js'
import { seededRandom } from '../../runtime/time/random.js'
import { fixtures, logitsOf, plainAdam, readFixture, tiny, tinyLlama, worst } from './support.js'

const theirs = join(fixtures, 'tiny-llama-lora')

async function adaptedLlama() {
  const base = await tinyLlama()
  const { lora, options } = await loadAdapter(theirs, base.config)
  const sequences = base.expected.rows.map((row: number[]) => ({
    tokens: Int32Array.from(row),
    promptLength: base.expected.promptLength,
  }))
  return { ...base, lora, options, sequences, wanted: readFixture('tiny-llama-lora', 'expected.json') }
}

test("an adapter of peft gives peft's logits when merged", async (t) => {
  const { config, params, lora, options, expected, wanted } = await adaptedLlama()
  const merged = mergeLora(config, params, lora, options)
  for (const [index, row] of expected.rows.entries()) {
    const logits = await logitsOf(config, merged, Int32Array.from(row), 'onnx')
    t.true(worst(logits, wanted.logits[index]) < 1e-4)
    t.true(worst(logits, expected.logits[index]) > 0.1, 'the adapter changes something')
  }
})

for (const [backend, packing] of [
  ['cpu', false],
  ['onnx', false],
  ['onnx', true],
] as const)
  test(`${backend}${packing ? ', packed' : ''}: loss and gradients of an adapter are PyTorch's; the base is not touched`, async (t) => {
    const { config, params, lora, options, sequences, wanted } = await adaptedLlama()
    const before = params.slice()
    const trainer = createLoraTrainer(config, params, lora, nllLoss, {
      optimizer: { ...plainAdam, learningRate: 0 },
      engine: { backend, packing },
      rows: 2,
      lora: options,
    })
    const { loss } = await trainer.step(sequences)
    t.true(Math.abs(loss - wanted.nll) < 1e-5)
    const { m } = await trainer.state()
    for (const { name, offset, length } of loraLayout(config, options).entries)
      if (wanted.gradients[name])
        t.true(
          worst(
            m.subarray(offset, offset + length).map((x) => 10 * x),
            wanted.gradients[name],
          ) < 1e-5,
          name,
        )
    t.deepEqual(params, before)
    await trainer.dispose()
  })

test('a fresh adapter changes nothing; a trained one as merged weights scores as it trained, and the base stays the reference', async (t) => {
  const { config, params, sequences } = await adaptedLlama()
  const options = { rank: 4, alpha: 8, targets: 'all-linear' } as const
  const lora = initLora(config, options, seededRandom(3))
  t.deepEqual(mergeLora(config, params, lora, options), params)
  const trainer = createLoraTrainer(config, params, lora, nllLoss, {
    optimizer: { ...plainAdam, learningRate: 0.05 },
    engine: { backend: 'onnx' },
    rows: 2,
    lora: options,
  })
  const model = openModel(config, params, { backend: 'onnx' })
  const reference = createReference(model, { capacity: 8 })
  const before = await reference.logprobs(sequences)
  const first = await trainer.step(sequences)
  for (let step = 0; step < 15; step++) await trainer.step(sequences)
  await trainer.pull()
  const merged = mergeLora(config, params, lora, options)
  const last = await trainer.step(sequences)
  t.true(last.loss < first.loss / 2, `${first.loss} to ${last.loss}`)
  const plain = createTrainer(config, merged, nllLoss, { optimizer: plainAdam, engine: { backend: 'onnx' }, rows: 2 })
  t.true(Math.abs((await plain.step(sequences)).loss - last.loss) < 1e-5)
  t.deepEqual(await reference.logprobs(sequences), before)
  await Promise.all([trainer.dispose(), plain.dispose(), model.dispose()])
})

test('a reference remembers a bounded number of sequences and forgets when told', async (t) => {
  let scored = 0
  const model = {
    logprobs: async (sequences: readonly unknown[]) => sequences.map(() => Float32Array.of(++scored)),
  } as unknown as ReturnType<typeof openModel>
  const reference = createReference(model, { capacity: 2 })
  const [a, b, c] = [1, 2, 3].map((token) => ({ tokens: Int32Array.of(token, 4), promptLength: 1 })) as [
    never,
    never,
    never,
  ]
  const read = async (...sequences: never[]) => (await reference.logprobs(sequences)).map((values) => values[0])
  t.deepEqual(await read(a, b, a), [1, 2, 1])
  t.deepEqual(await read(b, a), [2, 1])
  t.deepEqual(await read(c, a), [3, 1]) // b goes
  t.deepEqual(await read(b), [4])
  reference.clear()
  t.deepEqual(await read(a), [5])
  t.throws(() => createReference(model, { capacity: -1 }), { code: 'E_CONFIG' })
})

test('an adapter is written as it is read, and a wrong one is refused by name', async (t) => {
  const { config, lora, options } = await adaptedLlama()
  const folder = await mkdtemp(join(tmpdir(), 'troupe-lora-'))
  t.teardown(() => rm(folder, { recursive: true }))
  await saveAdapter(folder, { config, lora, options, base: 'tiny-llama' })
  const again = await loadAdapter(folder, config)
  t.deepEqual(again.lora, lora)
  t.deepEqual(
    [again.options.rank, again.options.alpha, [...again.options.targets].sort()],
    [3, 6, ['down_proj', 'q_proj', 'v_proj']],
  )
  const settings = JSON.parse(await readFile(join(folder, 'adapter_config.json'), 'utf8'))
  const refused = async (change: object, message: RegExp) => {
    await writeFile(join(folder, 'adapter_config.json'), JSON.stringify({ ...settings, ...change }))
    await t.throwsAsync(loadAdapter(folder, config), { code: 'E_CHECKPOINT', message })
  }
  await refused({ use_dora: true }, /use_dora/)
  await refused({ r: 4 }, /shape \[3, 16\], not \[4, 16\]/)
  await refused({ target_modules: ['nothing'] }, /no nothing/)
  await refused({ target_modules: ['q_proj'] }, /not part of the adapter/)
  t.throws(() => loraLayout(tiny, { rank: 0, alpha: 1, targets: 'all-linear' }), { code: 'E_CONFIG', message: /rank/ })
  t.throws(() => loraLayout(tiny, { rank: 1, alpha: 1, targets: [] }), { code: 'E_CONFIG', message: /empty/ })
  t.throws(() => mergeLora(config, new Float32Array(3), lora, options), { code: 'E_CONFIG' })
})
