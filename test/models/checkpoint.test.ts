import { mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { loadCheckpoint, loadCheckpointFiles, saveCheckpoint } from '../../models/checkpoint.js'
import { decodeSafetensors, encodeSafetensors } from '../../models/safetensors.js'
import { fixtures, logitsOf, readFixture, worst } from './support.js'
import { writtenModel, writtenRows, writtenTexts } from './written.js'

const scratch: string[] = []
const newFolder = async () => {
  const folder = await mkdtemp(join(tmpdir(), 'troupe-checkpoint-'))
  scratch.push(folder)
  return folder
}
test.after.always(async () => {
  for (const folder of scratch) await rm(folder, { recursive: true, force: true })
})

test('all but the weights is read without them, what they are stored as included', async (t) => {
  const model = writtenModel()
  for (const dtype of ['F32', 'BF16', 'F16'] as const) {
    const folder = join(await newFolder(), dtype)
    await saveCheckpoint(folder, { ...model, stopTokens: [2, 5] }, { dtype })
    const { params, ...loaded } = await loadCheckpoint(folder)
    await rm(join(folder, 'model.safetensors'))
    const { tokenizer, ...files } = await loadCheckpointFiles(folder)
    t.deepEqual(files, { config: model.config, stopTokens: [2, 5], dtype })
    t.deepEqual(Object.keys(loaded).sort(), [...Object.keys(files), 'tokenizer'].sort())
    t.deepEqual(tokenizer?.files, model.tokenizer.files)
  }
})

test('what is saved is what is loaded', async (t) => {
  const model = writtenModel()
  const folder = join(await newFolder(), 'deep', 'M1')
  await saveCheckpoint(folder, model)
  const read = await loadCheckpoint(folder)
  t.deepEqual(read.config, model.config)
  t.deepEqual(read.params, model.params)
  t.deepEqual(read.tokenizer!.encode(writtenTexts[0]!), model.tokenizer.encode(writtenTexts[0]!))
  t.deepEqual((await readdir(folder)).sort(), [
    'config.json',
    'generation_config.json',
    'model.safetensors',
    'tokenizer.json',
    'tokenizer_config.json',
  ])
  const next = { ...model, params: model.params.map((value) => value + 1), tokenizer: undefined }
  await saveCheckpoint(folder, next)
  t.deepEqual((await loadCheckpoint(folder)).params, next.params)
  t.is((await loadCheckpoint(folder)).tokenizer, undefined)
  t.deepEqual(await readdir(join(folder, '..')), ['M1'], 'nothing is left beside it')
})

test('all ends of a model are kept', async (t) => {
  const folder = join(await newFolder(), 'M1')
  await saveCheckpoint(folder, writtenModel())
  t.deepEqual((await loadCheckpoint(folder)).stopTokens, [writtenModel().config.eosTokenId])
  await saveCheckpoint(folder, { ...(await loadCheckpoint(folder)), stopTokens: [2, 5] })
  t.deepEqual((await loadCheckpoint(folder)).stopTokens, [2, 5])
  await rm(join(folder, 'generation_config.json'))
  await config({ eos_token_id: [3, 2] })(folder)
  t.deepEqual((await loadCheckpoint(folder)).stopTokens, [3, 2])
})

test('a folder with other files is not overwritten', async (t) => {
  const folder = await newFolder()
  await writeFile(join(folder, 'thesis.tex'), 'years of work')
  await t.throwsAsync(saveCheckpoint(folder, writtenModel()), { code: 'E_CHECKPOINT', message: /thesis\.tex/ })
  t.deepEqual(await readdir(folder), ['thesis.tex'])
  const short = { ...writtenModel(), params: new Float32Array(3) }
  await t.throwsAsync(saveCheckpoint(join(folder, 'new'), short), { code: 'E_CONFIG' })
  await t.throwsAsync(saveCheckpoint(join(folder, 'thesis.tex'), writtenModel()), { code: 'E_CHECKPOINT' })
})

test('transformers opened what we write: same logits, same token ids', async (t) => {
  const theirs = readFixture('written-by-troupe.theirs.json')
  const stored = join(fixtures, 'written-by-troupe')
  const { config, params, tokenizer } = await loadCheckpoint(stored)
  t.deepEqual(theirs.rows, writtenRows)
  for (const [index, row] of writtenRows.entries()) {
    const logits = await logitsOf(config, params, Int32Array.from(row), 'onnx')
    t.true(worst(logits, theirs.logits[index]) < 1e-4)
    t.true(Math.max(...logits) > 1)
  }
  t.deepEqual(
    theirs.ids,
    writtenTexts.map((text) => [...tokenizer!.encode(text)]),
  )
  t.deepEqual(
    theirs.decoded,
    theirs.ids.map((ids: number[]) => tokenizer!.decode(ids, { skipSpecial: true })),
  )
  t.deepEqual(theirs.special, [1, 2, 0, 3])
  const folder = join(await newFolder(), 'again')
  await saveCheckpoint(folder, writtenModel())
  for (const name of await readdir(stored))
    t.deepEqual(await readFile(join(folder, name)), await readFile(join(stored, name)), `${name} is still written so`)
})

test('half precision is read exactly', (t) => {
  const file = (dtype: string, words: number[]) => {
    const entry = { dtype, shape: [words.length], data_offsets: [0, 2 * words.length] }
    return craft(JSON.stringify({ x: entry }), new Uint8Array(Uint16Array.from(words).buffer))
  }
  const half = [0x3c00, 0xc000, 0x0001, 0x03ff, 0x0400, 0x7bff, 0x7c00, 0x8000]
  t.deepEqual(
    [...decodeSafetensors(file('F16', half), 'x')[0]!.data],
    [1, -2, 2 ** -24, 1023 * 2 ** -24, 2 ** -14, 65504, Number.POSITIVE_INFINITY, -0],
  )
  t.deepEqual([...decodeSafetensors(file('BF16', [0x3f80, 0xc049]), 'x')[0]!.data], [1, -3.140625])
})

/** A safetensors file with this header and data, whatever they say. */
function craft(header: string, data: Uint8Array, length = Buffer.byteLength(header)): Uint8Array {
  const file = new Uint8Array(8 + Buffer.byteLength(header) + data.length)
  new DataView(file.buffer).setBigUint64(0, BigInt(length), true)
  file.set(Buffer.from(header), 8)
  file.set(data, 8 + Buffer.byteLength(header))
  return file
}

const entry = (changes: object) => ({ dtype: 'F32', shape: [2], data_offsets: [0, 8], ...changes })
const eight = new Uint8Array(8)

const hostile: [name: string, file: Uint8Array, message: RegExp][] = [
  ['an empty file', new Uint8Array(0), /0 bytes, too few/],
  ['a header longer than the file', craft('{}', eight, 1000), /claims 1000 bytes/],
  ['a header of 2^63 bytes', craft('{}', eight, Number.MAX_SAFE_INTEGER), /claims/],
  ['a header that is not JSON', craft('{"x":', eight), /not JSON/],
  ['a header that is not UTF-8', new Uint8Array([1, 0, 0, 0, 0, 0, 0, 0, 0xff]), /not JSON/],
  ['a header that is a list', craft('[]', new Uint8Array(0)), /not an object/],
  ['an entry that is null', craft('{"x":null}', eight), /dtype undefined/],
  ['an unknown dtype', craft(JSON.stringify({ x: entry({ dtype: 'toString' }) }), eight), /dtype "toString"/],
  ['a negative size', craft(JSON.stringify({ x: entry({ shape: [-1, -2] }) }), eight), /shape \[-1,-2\]/],
  ['a fractional size', craft(JSON.stringify({ x: entry({ shape: [0.5, 4] }) }), eight), /shape/],
  ['sizes whose product overflows', craft(JSON.stringify({ x: entry({ shape: [2 ** 40, 2 ** 40] }) }), eight), /needs/],
  [
    'a shape that is not its bytes',
    craft(JSON.stringify({ x: entry({ shape: [3] }) }), eight),
    /needs 12 bytes, not 8/,
  ],
  [
    'offsets beyond the file',
    craft(JSON.stringify({ x: entry({ data_offsets: [0, 16] }) }), eight),
    /lies at 0…16 of 8/,
  ],
  ['offsets backwards', craft(JSON.stringify({ x: entry({ data_offsets: [8, 0] }) }), eight), /lies at 8…0/],
  ['offsets that are words', craft(JSON.stringify({ x: entry({ data_offsets: ['0', '8'] }) }), eight), /data_offsets/],
  ['tensors that overlap', craft(JSON.stringify({ x: entry({}), y: entry({}) }), eight), /overlaps/],
  [
    'bytes of no tensor',
    craft(JSON.stringify({ x: entry({ data_offsets: [8, 16] }) }), new Uint8Array(16)),
    /8 bytes before tensor x belong to no tensor/,
  ],
  ['bytes after the last tensor', craft(JSON.stringify({ x: entry({}) }), new Uint8Array(12)), /cover 8 bytes of 12/],
]

for (const [name, file, message] of hostile)
  test(`refused: ${name}`, (t) => {
    const error = t.throws(() => decodeSafetensors(file, 'M1/model.safetensors'), { code: 'E_CHECKPOINT', message })
    t.is((error as unknown as { where: string }).where, 'M1/model.safetensors')
  })

test('the header is padded to eight bytes, names are sorted, metadata says pt', (t) => {
  const tensor = (name: string) => ({ name, shape: [1], data: Float32Array.of(1) })
  const file = encodeSafetensors([tensor('b'), tensor('a')])
  const length = Number(new DataView(file.buffer).getBigUint64(0, true))
  t.is(length % 8, 0)
  const header = JSON.parse(new TextDecoder().decode(file.subarray(8, 8 + length)))
  t.deepEqual(Object.keys(header), ['__metadata__', 'a', 'b'])
  t.deepEqual(header.__metadata__, { format: 'pt' })
})

/** A good checkpoint, spoilt by `spoil`, must be refused with a message and the file's name. */
const spoilt = test.macro(async (t, spoil: (folder: string) => Promise<unknown>, message: RegExp, where: string) => {
  const folder = join(await newFolder(), 'M1')
  await saveCheckpoint(folder, writtenModel())
  await spoil(folder)
  const error = await t.throwsAsync(loadCheckpoint(folder), { code: 'E_CHECKPOINT', message })
  const { where: file, hint } = error as unknown as { where: string; hint: string }
  t.true(file.endsWith(where), file)
  t.truthy(hint)
})

const edit = (name: string, change: (json: Record<string, unknown>) => object) => async (folder: string) => {
  const path = join(folder, name)
  await writeFile(path, JSON.stringify(change(JSON.parse(await readFile(path, 'utf8')))))
}
const weights = (change: (tensors: ReturnType<typeof decodeSafetensors>) => unknown) => async (folder: string) => {
  const path = join(folder, 'model.safetensors')
  const tensors = decodeSafetensors(await readFile(path), path)
  await writeFile(path, encodeSafetensors(change(tensors) as never))
}

const config = (change: object) => edit('config.json', (json) => ({ ...json, ...change }))
test('refused: no config.json', spoilt, (folder) => rm(join(folder, 'config.json')), /no such file/, 'config.json')
test(
  'refused: another model type',
  spoilt,
  config({ model_type: 'bert' }),
  /model_type is "bert", and only llama, mistral/,
  'config.json',
)
test(
  'refused: biases that are not there',
  spoilt,
  config({ attention_bias: true }),
  /q_proj\.bias is missing/,
  'model.safetensors',
)
test(
  'refused: a size that is a word',
  spoilt,
  config({ hidden_size: '64' }),
  /hidden_size must be a number/,
  'config.json',
)
test(
  'refused: endless layers',
  spoilt,
  config({ num_hidden_layers: 1e7 }),
  /numHiddenLayers must be at most/,
  'config.json',
)
test('refused: an odd head', spoilt, config({ head_dim: 3 }), /headDim must be even/, 'config.json')
test('refused: a token outside the vocabulary', spoilt, config({ eos_token_id: 20 }), /eosTokenId/, 'config.json')
test(
  'refused: scaled rotary positions',
  spoilt,
  config({ rope_parameters: { rope_type: 'yarn' } }),
  /"yarn"/,
  'config.json',
)
test('refused: a wider model', spoilt, config({ hidden_size: 16 }), /has shape \[20, 8\] and/, 'model.safetensors')
test(
  'refused: a missing tensor',
  spoilt,
  weights((all) => all.slice(1)),
  /is missing/,
  'model.safetensors',
)
test(
  'refused: a tensor too many',
  spoilt,
  weights((all) => [...all, { name: 'evil', shape: [1], data: Float32Array.of(1) }]),
  /tensor evil is not part/,
  'model.safetensors',
)
test(
  'refused: a tied head that is not the embedding',
  spoilt,
  weights((all) => [...all, { name: 'lm_head.weight', shape: [20, 8], data: new Float32Array(160) }]),
  /lm_head\.weight is not the embedding/,
  'model.safetensors',
)
test(
  'refused: weights that are not numbers',
  spoilt,
  weights((all) => {
    all[0]!.data[0] = Number.NaN
    return all
  }),
  /not finite/,
  'model.safetensors',
)
test(
  'refused: a link that leads out of the folder',
  spoilt,
  async (folder) => {
    await rm(join(folder, 'model.safetensors'))
    await symlink(join(fixtures, 'tiny-llama/model.safetensors'), join(folder, 'model.safetensors'))
  },
  /link that leads out/,
  'model.safetensors',
)
test(
  'refused: half a tokenizer',
  spoilt,
  (folder) => writeFile(join(folder, 'tokenizer.json'), '{"mo'),
  /not JSON/,
  'tokenizer.json',
)
test(
  'refused: another model’s tokenizer',
  spoilt,
  config({ vocab_size: 5 }),
  /the tokenizer has 13 tokens and the model 5/,
  'tokenizer.json',
)
