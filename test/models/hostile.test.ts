import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { loadCheckpoint, saveCheckpoint } from '../../models/checkpoint.js'
import { narrow, widen } from '../../models/halves.js'
import { paramLayout } from '../../models/layout.js'
import { decodeSafetensors } from '../../models/safetensors.js'
import { fixtures } from './support.js'
import { writtenModel } from './written.js'

const INDEX = 'model.safetensors.index.json'
const FIRST = 'model-00001-of-00003.safetensors'
const LAST = 'model-00003-of-00003.safetensors'

type Json = Record<string, unknown>
type Spoil = (folder: string) => Promise<unknown>

const edit =
  (name: string, change: (json: Json) => object): Spoil =>
  async (folder) => {
    const path = join(folder, name)
    await writeFile(path, JSON.stringify(change(JSON.parse(await readFile(path, 'utf8')))))
  }
const config = (change: object) => edit('config.json', (json) => ({ ...json, ...change }))
const map = (change: (map: Json) => unknown) =>
  edit(INDEX, (json) => ({ ...json, weight_map: change(json.weight_map as Json) }))
const into = (file: unknown) => map((all) => ({ ...all, 'lm_head.weight': file }))
const both =
  (one: Spoil, other: Spoil): Spoil =>
  async (folder) => {
    await one(folder)
    await other(folder)
  }

/** Rewrites the header of a file of weights; the data stay. */
const header =
  (file: string, change: (header: Record<string, Json>) => object): Spoil =>
  async (folder) => {
    const bytes = await readFile(join(folder, file))
    const length = Number(bytes.readBigUInt64LE())
    const json = Buffer.from(JSON.stringify(change(JSON.parse(bytes.toString('utf8', 8, 8 + length)))))
    const first = Buffer.alloc(8)
    first.writeBigUInt64LE(BigInt(json.length))
    await writeFile(join(folder, file), Buffer.concat([first, json, bytes.subarray(8 + length)]))
  }
const entry = (change: object) =>
  header(LAST, (all) => ({ ...all, 'lm_head.weight': { ...all['lm_head.weight'], ...change } }))

const spoilt = test.macro(async (t, fixture: string, spoil: Spoil, message: RegExp, where: string) => {
  const scratch = await mkdtemp(join(tmpdir(), 'troupe-hostile-'))
  const folder = join(scratch, 'M1')
  await cp(join(fixtures, fixture), folder, { recursive: true })
  await spoil(folder)
  const before = await readdir(scratch, { recursive: true })
  const error = await t.throwsAsync(loadCheckpoint(folder), { code: 'E_CHECKPOINT', message })
  const { where: file, hint } = error as unknown as { where: string; hint: string }
  t.true(file.endsWith(where), file)
  t.truthy(hint)
  t.deepEqual(await readdir(scratch, { recursive: true }), before)
  await rm(scratch, { recursive: true })
})

const SHARDED = 'llama-linear-rope-sharded'
const shards: [name: string, spoil: Spoil, message: RegExp, where: string][] = [
  ['no index, and no whole file', (folder) => rm(join(folder, INDEX)), /no such file/, 'model.safetensors'],
  ['an index that is not JSON', (folder) => writeFile(join(folder, INDEX), '{"weight_map":'), /not JSON/, INDEX],
  ['an index that is a list', edit(INDEX, () => []), /no JSON object/, INDEX],
  ['an index without a map', edit(INDEX, () => ({})), /weight_map is not an object/, INDEX],
  ['an empty map', map(() => ({})), /names 0 files/, INDEX],
  [
    'a map of 5000 files',
    map(() => Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`x${i}`, `${i}.safetensors`]))),
    /names 5000 files/,
    INDEX,
  ],
  ['a file that is a number', into(5), /is in 5, which is not the name/, INDEX],
  ['a path upwards', into('../M1/model-00003-of-00003.safetensors'), /which is not the name/, INDEX],
  ['an absolute path', into('/etc/model.safetensors'), /which is not the name/, INDEX],
  ['a path with a backslash', into('..\\model.safetensors'), /which is not the name/, INDEX],
  ['a hidden file', into('..safetensors'), /which is not the name/, INDEX],
  ['a name with a zero byte', into('x\0.safetensors'), /which is not the name/, INDEX],
  ['a file of another kind', into('config.json'), /which is not the name/, INDEX],
  ['a missing file', (folder) => rm(join(folder, LAST)), /no such file/, LAST],
  ['a tensor in another file than the index says', into(FIRST), /lm_head.weight is not here/, FIRST],
  [
    'a tensor that the index does not know',
    map(({ 'model.norm.weight': _, ...others }) => others),
    /model.norm.weight is here, and the index/,
    '2-of-00003.safetensors',
  ],
  [
    'a wrong total size',
    edit(INDEX, (json) => ({ ...json, metadata: { total_size: 20801 } })),
    /total_size is 20801, and the files hold 20800/,
    INDEX,
  ],
  [
    'a total size that is a word',
    edit(INDEX, (json) => ({ ...json, metadata: { total_size: 'all' } })),
    /total_size is "all"/,
    INDEX,
  ],
  [
    'a tensor in two files',
    both(
      header(LAST, (all) => ({ 'model.norm.weight': all['lm_head.weight'] })),
      map(({ 'lm_head.weight': _, ...all }) => ({ ...all, 'model.norm.weight': LAST })),
    ),
    /model.norm.weight is here, and the index/,
    '2-of-00003.safetensors',
  ],
  ['a file that ends early', (folder) => truncate(join(folder, LAST), 100), /lies at|header claims/, LAST],
  ['a file of four bytes', (folder) => truncate(join(folder, LAST), 4), /too few for a header/, LAST],
  ['a huge shape', entry({ shape: [2 ** 52, 2 ** 52] }), /needs/, LAST],
  [
    'a shape that is not the configured one',
    entry({ shape: [16, 40] }),
    /has shape \[16, 40\] and the configuration says \[40, 16\]/,
    LAST,
  ],
  ['a negative offset', entry({ data_offsets: [-8, 2552] }), /data_offsets/, LAST],
  ['weights in float64', entry({ dtype: 'F64', shape: [40, 8] }), /has shape \[40, 8\]/, LAST],
  ['weights of a dtype that is no number', entry({ dtype: 'I32' }), /dtype "I32"; F32, F16 and BF16 can be read/, LAST],
  ['a dtype that does not exist', entry({ dtype: '__proto__' }), /dtype "__proto__"/, LAST],
  [
    'a folder in place of a file',
    async (folder) => {
      await rm(join(folder, LAST))
      await mkdir(join(folder, LAST))
    },
    /not a regular file/,
    LAST,
  ],
  [
    'a link out of the folder',
    async (folder) => {
      await rm(join(folder, LAST))
      await symlink(join(fixtures, SHARDED, LAST), join(folder, LAST))
    },
    /link that leads out/,
    LAST,
  ],
]
for (const [name, spoil, message, where] of shards)
  test(`refused in shards: ${name}`, spoilt, SHARDED, spoil, message, where)

const configs: [fixture: string, change: object, message: RegExp][] = [
  ['gpt2', { n_embd: 2 ** 25 }, /hiddenSize must be an integer from 1/],
  ['gpt2', { n_layer: 1e9 }, /numHiddenLayers must be/],
  ['gpt2', { n_head: 3 }, /headDim must be an integer/],
  ['gpt2', { n_layer: -1 }, /numHiddenLayers must be/],
  ['gpt2', { activation_function: 'relu' }, /activation_function is "relu", and only "gelu", "gelu_new"/],
  ['gpt2', { scale_attn_by_inverse_layer_idx: true }, /scale_attn_by_inverse_layer_idx is true/],
  ['gpt2', { layer_norm_epsilon: 0 }, /layerNormEps must be a positive number/],
  ['gpt-neox-parallel', { rope_parameters: { rope_theta: 1e4, partial_rotary_factor: 0.01 } }, /rotaryShare 0.01/],
  ['gpt-neox-parallel', { rope_parameters: { rope_theta: 1e4, partial_rotary_factor: 2 } }, /rotaryShare 2/],
  ['gpt-neox-parallel', { use_parallel_residual: 'yes' }, /use_parallel_residual must be true or false/],
  ['mistral-window', { sliding_window: 0 }, /slidingWindow must be a positive integer/],
  ['mistral-window', { sliding_window: '4' }, /sliding_window must be a number/],
  ['mistral-window', { rope_scaling: 'linear' }, /rope_parameters must be an object/],
  [
    'mistral-window',
    { rope_scaling: { type: 'dynamic', factor: 2 } },
    /type "dynamic" cannot be read, only default, linear, llama3/,
  ],
  ['mistral-window', { rope_scaling: { type: 'linear', factor: -1 } }, /ropeScaling.factor must be a positive/],
  [
    'mistral-window',
    { rope_parameters: { full_attention: {}, sliding_attention: {} } },
    /rope_parameters.full_attention cannot be read/,
  ],
  ['mistral-window', { quantization_config: { bits: 4 } }, /quantization_config is set/],
  ['mistral-window', { hidden_act: 'gelu' }, /hidden_act is "gelu"/],
  ['qwen2-window', { layer_types: ['sliding_attention', 'full_attention'] }, /layer_types is not what/],
  ['qwen3', { eos_token_id: null }, /eos_token_id must be a number/],
  ['qwen3', { model_type: 'mamba' }, /only llama, mistral, qwen2, qwen3, gpt2, gpt_neox can be read/],
  [
    'llama-biases-llama3-rope',
    { rope_parameters: { rope_type: 'llama3', rope_theta: 1e4, factor: 2 } },
    /low_freq_factor must be a number/,
  ],
]
for (const [fixture, change, message] of configs)
  test(`refused in ${fixture}: ${JSON.stringify(change)}`, spoilt, fixture, config(change), message, 'config.json')

test(
  'a vocabulary of 16 million is refused by its shape, before anything is allocated',
  spoilt,
  'gpt2',
  config({ vocab_size: 2 ** 24, n_positions: 2 ** 24 }),
  /configuration says \[16777216, 16\]/,
  'model.safetensors',
)

const tokenizer =
  (json: unknown, settings: object = {}): Spoil =>
  async (folder) => {
    await writeFile(join(folder, 'tokenizer.json'), JSON.stringify(json))
    await writeFile(join(folder, 'tokenizer_config.json'), JSON.stringify(settings))
  }
const bytePair = {
  added_tokens: [],
  normalizer: null,
  pre_tokenizer: { type: 'WhitespaceSplit' },
  post_processor: null,
  decoder: null,
}
const words = { type: 'BPE', vocab: { a: 0, b: 1 }, merges: [] }
const tokenizers: [name: string, json: unknown, settings: object, message: RegExp][] = [
  ['of no kind', { ...bytePair, model: { type: 'Nonsense' } }, {}, /the tokenizer cannot be used/],
  ['without a model', bytePair, {}, /the tokenizer cannot be used/],
  [
    'with ids beyond the model',
    { ...bytePair, model: { ...words, vocab: { a: 0, b: 40 } } },
    {},
    /41 tokens and the model 40/,
  ],
  [
    'with an endless id',
    { ...bytePair, model: { ...words, vocab: { a: 0, b: 1e15 } } },
    {},
    /"b" has id 1000000000000000/,
  ],
  ['with a negative id', { ...bytePair, model: { ...words, vocab: { a: 0, b: -1 } } }, {}, /"b" has id -1/],
  ['whose added token has no id', { ...bytePair, model: words, added_tokens: [{ content: 'x' }] }, {}, /"x" has id/],
  ['that is a list', [], {}, /no JSON object/],
]
for (const [name, json, settings, message] of tokenizers)
  test(`refused: a tokenizer ${name}`, spoilt, 'gpt2', tokenizer(json, settings), message, 'tokenizer.json')
test(
  'refused: a chat template of the wrong kind',
  spoilt,
  'gpt2',
  tokenizer({ ...bytePair, model: words }, { chat_template: 7 }),
  /chat_template must be a text/,
  'chat_template',
)

for (const eos of [[], 'all', [1, 40], -1])
  test(
    `refused: an end of ${JSON.stringify(eos)} in generation_config.json`,
    spoilt,
    'gpt2',
    edit('generation_config.json', (json) => ({ ...json, eos_token_id: eos })),
    /eos_token_id is/,
    'generation_config.json',
  )

test('files are closed, whatever is wrong with them', async (t) => {
  const scratch = await mkdtemp(join(tmpdir(), 'troupe-hostile-'))
  await cp(join(fixtures, SHARDED), join(scratch, 'M1'), { recursive: true })
  await entry({ shape: [16, 40] })(join(scratch, 'M1'))
  const opened = async () => (await readdir('/proc/self/fd').catch(() => [])).length
  const before = await opened()
  for (let i = 0; i < 20; i++) await t.throwsAsync(loadCheckpoint(join(scratch, 'M1')))
  t.true((await opened()) <= before + 2)
  await rm(scratch, { recursive: true })
})

test('buffers of old checkpoints are passed over, whatever their dtype; names may lack their prefix', async (t) => {
  const scratch = await mkdtemp(join(tmpdir(), 'troupe-hostile-'))
  const folder = join(scratch, 'M1')
  await cp(join(fixtures, 'gpt2'), folder, { recursive: true })
  const file = join(folder, 'model.safetensors')
  await header('model.safetensors', (all) => {
    const { __metadata__, ...tensors } = all
    const bare = Object.entries(tensors).map(([name, value]) => [name.replace('transformer.', ''), value])
    const data = Math.max(...Object.values(tensors).map(({ data_offsets }) => (data_offsets as number[])[1]!))
    return {
      __metadata__,
      ...Object.fromEntries(bare),
      'h.0.attn.bias': { dtype: 'BOOL', shape: [1, 1, 2, 2], data_offsets: [data, data + 4] },
    }
  })(folder)
  await writeFile(file, Buffer.alloc(4), { flag: 'a' })
  t.deepEqual((await loadCheckpoint(folder)).params, (await loadCheckpoint(join(fixtures, 'gpt2'))).params)
  await rm(scratch, { recursive: true })
})

test('half precision: every finite value is kept, others go to the nearest, ties to even', (t) => {
  for (const dtype of ['F16', 'BF16'] as const) {
    const limit = dtype === 'F16' ? 0x7c00 : 0x7f80
    const halves = Uint16Array.from({ length: 2 * limit }, (_, i) => (i < limit ? i : 0x8000 + i - limit))
    const values = new Float32Array(halves.length)
    widen(new Uint8Array(halves.buffer), dtype, values)
    t.deepEqual(new Uint16Array(narrow(values, dtype)!.slice().buffer), halves)
    // Between two neighbours the mean is a tie: it goes to the even one, and a little less or more to the nearer one.
    const lower = values.subarray(0, limit - 1)
    const ties = lower.map((value, i) => value + (values[i + 1]! - value) / 2)
    const exact = ties.map((tie, i) => (tie > values[i]! && tie < values[i + 1]! ? 1 : 0)) // else float32 has no value between
    const even = new Uint16Array(narrow(ties, dtype)!.slice().buffer)
    t.true(even.every((half, i) => !exact[i] || half === i + (i % 2)))
    const above = new Uint16Array(
      narrow(
        ties.map((tie, i) => (exact[i] ? tie * (1 + 2 ** -23) : tie)),
        dtype,
      )!.slice().buffer,
    )
    t.true(above.every((half, i) => !exact[i] || ties[i]! < 1e-37 || half === i + 1))
  }
  t.truthy(narrow(Float32Array.of(65519.9, -65504), 'F16'))
  for (const value of [65520, -7e4, 1e30, Number.NaN, Number.POSITIVE_INFINITY])
    t.is(narrow(Float32Array.of(0, value), 'F16'), undefined)
  t.is(narrow(Float32Array.of(3.4e38), 'BF16'), undefined)
  t.is(narrow(Float32Array.of(Number.NaN), 'BF16'), undefined)
})

test('weights larger than what is read at a time come back whole', async (t) => {
  const scratch = await mkdtemp(join(tmpdir(), 'troupe-hostile-'))
  const config = { ...writtenModel().config, vocabSize: 2 ** 18 + 3, hiddenSize: 24 }
  const params = Float32Array.from({ length: paramLayout(config).total }, (_, i) => (i % 251) - 125)
  for (const dtype of ['F32', 'F16'] as const) {
    await saveCheckpoint(join(scratch, dtype), { config, params }, { dtype })
    t.deepEqual(
      (await loadCheckpoint(join(scratch, dtype))).params.every((value, i) => value === params[i]),
      true,
    )
  }
  await rm(scratch, { recursive: true })
})

test('a value that the dtype cannot hold leaves nothing behind; options are checked', async (t) => {
  const scratch = await mkdtemp(join(tmpdir(), 'troupe-hostile-'))
  const model = writtenModel()
  const params = model.params.slice()
  params[5] = 7e4
  const folder = join(scratch, 'M1')
  await saveCheckpoint(folder, model)
  await t.throwsAsync(saveCheckpoint(folder, { ...model, params }, { dtype: 'F16' }), {
    code: 'E_CHECKPOINT',
    message: /embed_tokens.weight holds a value that F16 cannot hold/,
  })
  t.deepEqual((await loadCheckpoint(folder)).params, model.params)
  t.deepEqual(await readdir(scratch), ['M1'])
  await t.throwsAsync(saveCheckpoint(folder, model, { dtype: 'I8' as 'F32' }), { code: 'E_CONFIG' })
  await t.throwsAsync(saveCheckpoint(folder, model, { maxShardBytes: 0 }), { code: 'E_CONFIG' })
  await rm(scratch, { recursive: true })
})

test('shards hold at most what they may, are replaced by the next save, and their index says where everything is', async (t) => {
  const scratch = await mkdtemp(join(tmpdir(), 'troupe-hostile-'))
  const folder = join(scratch, 'M1')
  const model = writtenModel()
  await saveCheckpoint(folder, model, { maxShardBytes: 1500, dtype: 'BF16' })
  const { weight_map, metadata } = JSON.parse(await readFile(join(folder, INDEX), 'utf8'))
  const names = [...new Set(Object.values(weight_map as Record<string, string>))]
  t.true(names.length > 1)
  let total = 0
  for (const name of names) {
    const tensors = decodeSafetensors(await readFile(join(folder, name)), name)
    const bytes = tensors.reduce((sum, { data }) => sum + 2 * data.length, 0)
    t.true(bytes <= 1500 || tensors.length === 1)
    t.true(tensors.every((tensor) => weight_map[tensor.name] === name))
    total += bytes
  }
  t.is(metadata.total_size, total)
  t.is(total, 2 * model.params.length)
  t.deepEqual((await loadCheckpoint(folder)).config, model.config)
  await saveCheckpoint(folder, model)
  t.false((await readdir(folder)).some((name) => name.includes('-of-')))
  await rm(scratch, { recursive: true })
})
