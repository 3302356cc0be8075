import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { TroupeError } from '../runtime/kernel/errors.js'
import type { DecoderConfig } from './config.js'
import { readJson, readWhole } from './folder.js'
import { fromHfConfig } from './hf-config.js'
import { toHfConfig } from './hf-config-write.js'
import { checkParams, paramLayout } from './layout.js'
import { decodeSafetensors, encodeSafetensors, type SafeTensor } from './safetensors.js'
import { loadTokenizer, type TextTokenizer } from './tokenizer.js'
import type { TokenizerFiles } from './tokenizer-files.js'

/** A model as a Hugging Face folder holds it. */
export interface Checkpoint {
  readonly config: DecoderConfig
  /** Laid out by `paramLayout(config)`. */
  readonly params: Float32Array
  readonly tokenizer?: TextTokenizer | undefined
}

const FILES = {
  config: 'config.json',
  generation: 'generation_config.json',
  weights: 'model.safetensors',
  tokenizer: 'tokenizer.json',
  tokenizerConfig: 'tokenizer_config.json',
} as const

/**
 * Writes a folder that `transformers` opens as a `LlamaForCausalLM`. It appears whole or not at all: everything is written
 * next to it and renamed. An older checkpoint at `folder` is replaced; a folder with other files in it is refused with
 * `E_CHECKPOINT`. `E_CONFIG` when `params` is not of this configuration.
 */
export async function saveCheckpoint(
  folder: string,
  model: {
    readonly config: DecoderConfig
    readonly params: Float32Array
    readonly tokenizer?: { readonly files: TokenizerFiles } | undefined
  },
): Promise<void> {
  const { config, params, tokenizer } = model
  checkParams(config, params)
  const target = resolve(folder)
  const replaces = await holdsOnlyCheckpoint(target)
  await mkdir(dirname(target), { recursive: true })
  const scratch = await mkdtemp(join(dirname(target), `.${basename(target)}-`)) // closed to others; what is in it is not
  const fresh = join(scratch, 'new')
  const write = (name: string, contents: string | Uint8Array) => writeFile(join(fresh, name), contents, { flush: true })
  const writeJson = (name: string, value: unknown) => write(name, `${JSON.stringify(value, undefined, 2)}\n`)
  try {
    await mkdir(fresh)
    const { bosTokenId, eosTokenId, padTokenId } = config
    await writeJson(FILES.config, toHfConfig(config))
    await writeJson(FILES.generation, {
      _from_model_config: true,
      bos_token_id: bosTokenId,
      eos_token_id: eosTokenId,
      pad_token_id: padTokenId,
    })
    if (tokenizer) await writeJson(FILES.tokenizer, tokenizer.files.tokenizer)
    if (tokenizer) await writeJson(FILES.tokenizerConfig, tokenizer.files.config)
    await write(FILES.weights, encodeSafetensors(tensorsOf(config, params)))
    await swapIn(fresh, target, replaces ? join(scratch, 'old') : undefined)
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

function tensorsOf(config: DecoderConfig, params: Float32Array): SafeTensor[] {
  return paramLayout(config).entries.map(({ name, shape, offset, length }) => ({
    name,
    shape,
    data: params.subarray(offset, offset + length),
  }))
}

/** False when nothing is there; throws when what is there is not a checkpoint of ours to replace. */
async function holdsOnlyCheckpoint(target: string): Promise<boolean> {
  let names: string[]
  try {
    names = await readdir(target)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw new TroupeError('E_CHECKPOINT', `cannot write a checkpoint here: ${(error as Error).message}`, {
      where: target,
      cause: error,
    })
  }
  const known: string[] = Object.values(FILES)
  const other = names.find((name) => !known.includes(name))
  if (other !== undefined)
    throw new TroupeError('E_CHECKPOINT', `the folder holds ${other}, which is not part of a checkpoint`, {
      where: target,
      hint: 'Name a new or empty folder',
    })
  return true
}

/** Renames `fresh` to `target`; what was there steps `aside` first, and comes back if that fails. */
async function swapIn(fresh: string, target: string, aside: string | undefined): Promise<void> {
  if (aside) await rename(target, aside)
  try {
    await rename(fresh, target)
  } catch (error) {
    if (aside) await rename(aside, target)
    throw error
  }
}

/**
 * Reads a folder that Troupe or `transformers` wrote (one `model.safetensors`; F32, F16 or BF16). Every file is checked
 * before anything is returned; what is wrong throws `E_CHECKPOINT` that says which file, what, and what to do.
 */
export async function loadCheckpoint(folder: string): Promise<Checkpoint> {
  const at = (name: string) => join(folder, name)
  const config = fromHfConfig(await readJson(folder, FILES.config), at(FILES.config))
  const names = new Set(await readdir(folder))
  if (!names.has(FILES.weights) && names.has('model.safetensors.index.json'))
    throw new TroupeError('E_CHECKPOINT', 'the weights are in several files, and one can be read', {
      where: folder,
      hint: 'Save it again from transformers with a larger max_shard_size',
    })
  const weights = decodeSafetensors(await readWhole(folder, FILES.weights), at(FILES.weights))
  const params = flatten(config, weights, at(FILES.weights))
  if (!names.has(FILES.tokenizer)) return { config, params }
  const settings = names.has(FILES.tokenizerConfig) ? await readJson(folder, FILES.tokenizerConfig) : {}
  const tokenizer = loadTokenizer((await readJson(folder, FILES.tokenizer)) as object, settings as object)
  if (tokenizer.vocabSize > config.vocabSize)
    throw new TroupeError(
      'E_CHECKPOINT',
      `the tokenizer has ${tokenizer.vocabSize} tokens and the model ${config.vocabSize}`,
      { where: at(FILES.tokenizer), hint: 'The files of two models were mixed: copy the whole folder again' },
    )
  return { config, params, tokenizer }
}

function sameNumbers(a: Float32Array, b: Float32Array): boolean {
  return a.length === b.length && a.every((value, index) => value === b[index])
}

/** Buffers that old versions of transformers stored, and that follow from the configuration. */
const DERIVED = /\.rotary_emb\.inv_freq$/

function flatten(config: DecoderConfig, tensors: readonly SafeTensor[], where: string): Float32Array {
  const fail = (message: string): never => {
    throw new TroupeError('E_CHECKPOINT', message, {
      where,
      hint: 'config.json and model.safetensors are not of the same model, or one is damaged: copy the whole folder again',
    })
  }
  const byName = new Map(tensors.map((tensor) => [tensor.name, tensor]))
  const layout = paramLayout(config)
  for (const { name, shape } of layout.entries) {
    const tensor = byName.get(name) ?? fail(`tensor ${name} is missing`)
    if (tensor.shape.join() !== shape.join())
      fail(`tensor ${name} has shape [${tensor.shape.join(', ')}] and the configuration says [${shape.join(', ')}]`)
    if (!tensor.data.every(Number.isFinite)) fail(`tensor ${name} holds values that are not finite`)
  }
  const head = byName.get('lm_head.weight')
  if (head && config.tieWordEmbeddings && !sameNumbers(head.data, byName.get('model.embed_tokens.weight')!.data))
    fail('tie_word_embeddings is true, and lm_head.weight is not the embedding')
  const expected = new Set(layout.entries.map(({ name }) => name))
  for (const { name } of tensors)
    if (!expected.has(name) && !DERIVED.test(name) && !(name === 'lm_head.weight' && config.tieWordEmbeddings))
      fail(`tensor ${name} is not part of the configured model`)
  const params = new Float32Array(layout.total)
  for (const { name, offset } of layout.entries) params.set(byName.get(name)!.data, offset)
  return params
}
