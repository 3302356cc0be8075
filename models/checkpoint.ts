import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { TroupeError } from '../runtime/kernel/errors.js'
import type { DecoderConfig } from './config.js'
import { readJson, readText } from './folder.js'
import { DTYPE_BYTES, type Dtype } from './halves.js'
import { checkFlat, type HeadKind } from './head-layout.js'
import { fromHfConfig } from './hf-config.js'
import { dtypeNamed, toHfConfig } from './hf-config-write.js'
import { checkParams } from './layout.js'
import { readWeights } from './read-weights.js'
import { writeSafetensors } from './safetensors-file.js'
import { isShard, planShards, WEIGHT_INDEX, WEIGHTS } from './shards.js'
import { packStored, storedTensors } from './stored.js'
import { loadTokenizer, type TextTokenizer } from './tokenizer.js'
import type { TokenizerFiles } from './tokenizer-files.js'

/** What a Hugging Face folder says of its model. */
export interface CheckpointFiles {
  readonly config: DecoderConfig
  readonly tokenizer?: TextTokenizer | undefined
  /** Where a completion ends: every `eos_token_id` of `generation_config.json`, else of `config.json` (Llama 3 has several). */
  readonly stopTokens: readonly number[]
  /** What its weights are stored as, by `config.json`; F32 where that says nothing that can be written. */
  readonly dtype: Dtype
}

/** A model as a Hugging Face folder holds it. */
export interface Checkpoint extends CheckpointFiles {
  /** Laid out by `paramLayout(config)`. */
  readonly params: Float32Array
}

export interface SaveOptions {
  /** What weights are stored as. Default F32. BF16 and F16 round to the nearest, ties to even. */
  readonly dtype?: Dtype
  /** Greatest size of one file of weights; more are written with an index. Default 5·10⁹. */
  readonly maxShardBytes?: number
}

const FILES = {
  config: 'config.json',
  generation: 'generation_config.json',
  tokenizer: 'tokenizer.json',
  tokenizerConfig: 'tokenizer_config.json',
  chatTemplate: 'chat_template.jinja',
} as const

/**
 * Writes a folder that `transformers` opens. It appears whole or not at all: everything is written next to it and renamed. An
 * older checkpoint at `folder` is replaced; a folder with other files in it is refused with `E_CHECKPOINT`, as is a value that
 * the dtype cannot hold. `E_CONFIG` when `params` is not of this configuration, or an option is wrong.
 */
export async function saveCheckpoint(
  folder: string,
  model: {
    readonly config: DecoderConfig
    readonly params: Float32Array
    /** `params` end with this head (`headLayout`); a reward model opens as transformers' `…ForSequenceClassification`. */
    readonly head?: HeadKind
    readonly tokenizer?: { readonly files: TokenizerFiles } | undefined
    /** Default the configuration's end alone. */
    readonly stopTokens?: readonly number[]
  },
  options: SaveOptions = {},
): Promise<void> {
  const { config, params, head, tokenizer, stopTokens = [config.eosTokenId] } = model
  const { dtype, maxShardBytes } = checkOptions(options)
  if (head) checkFlat(config, head, params)
  else checkParams(config, params)
  const target = resolve(folder)
  const replaces = await holdsOnlyCheckpoint(target)
  await mkdir(dirname(target), { recursive: true })
  const scratch = await mkdtemp(join(dirname(target), `.${basename(target)}-`)) // closed to others; what is in it is not
  const fresh = join(scratch, 'new')
  const write = (name: string, contents: string) => writeFile(join(fresh, name), contents, { flush: true })
  const writeJson = (name: string, value: unknown) => write(name, `${JSON.stringify(value, undefined, 2)}\n`)
  try {
    await mkdir(fresh)
    const { bosTokenId, padTokenId } = config
    await writeJson(FILES.config, toHfConfig(config, dtype, head))
    await writeJson(FILES.generation, {
      _from_model_config: true,
      bos_token_id: bosTokenId,
      eos_token_id: stopTokens.length === 1 ? stopTokens[0] : stopTokens,
      pad_token_id: padTokenId,
    })
    if (tokenizer) await writeJson(FILES.tokenizer, tokenizer.files.tokenizer)
    if (tokenizer) await writeJson(FILES.tokenizerConfig, tokenizer.files.config)
    if (tokenizer?.files.chatTemplate !== undefined) await write(FILES.chatTemplate, tokenizer.files.chatTemplate)
    const tensors = storedTensors(config, head).map((stored) => ({ ...stored, data: () => packStored(stored, params) }))
    const { files, index } = planShards(tensors, dtype, maxShardBytes)
    for (const file of files) await writeSafetensors(join(fresh, file.name), file.tensors, dtype)
    if (index) await writeJson(WEIGHT_INDEX, index)
    await swapIn(fresh, target, replaces ? join(scratch, 'old') : undefined)
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

function checkOptions({ dtype = 'F32', maxShardBytes = 5e9 }: SaveOptions): Required<SaveOptions> {
  if (!Object.hasOwn(DTYPE_BYTES, dtype))
    throw new TroupeError('E_CONFIG', `checkpoint: dtype must be F32, BF16 or F16, not ${dtype}`)
  if (!(maxShardBytes > 0))
    throw new TroupeError('E_CONFIG', `checkpoint: maxShardBytes must be positive, not ${maxShardBytes}`)
  return { dtype, maxShardBytes }
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
  const known: string[] = [...Object.values(FILES), WEIGHTS, WEIGHT_INDEX]
  const other = names.find((name) => !known.includes(name) && !isShard(name))
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
 * Reads a folder that Troupe or `transformers` wrote (one `model.safetensors` or several with their index; F32, F16 or BF16).
 * Every file is checked before anything is returned; what is wrong throws `E_CHECKPOINT` that says which file, what, and what
 * to do. With `head` the folder holds that head too, and `params` end with it (`headLayout`).
 */
export async function loadCheckpoint(folder: string, { head }: { readonly head?: HeadKind } = {}): Promise<Checkpoint> {
  const files = await loadCheckpointFiles(folder)
  return { ...files, params: await readWeights(folder, new Set(await readdir(folder)), files.config, head) }
}

/** Reads all of such a folder but the weights. Throws `E_CHECKPOINT`. */
export async function loadCheckpointFiles(folder: string): Promise<CheckpointFiles> {
  const at = (name: string) => join(folder, name)
  const json: Settings = await readJson(folder, FILES.config)
  const config = fromHfConfig(json, at(FILES.config))
  const names = new Set(await readdir(folder))
  const generation: Settings = names.has(FILES.generation) ? await readJson(folder, FILES.generation) : {}
  const stopTokens = readStops(config, generation.eos_token_id ?? json.eos_token_id, at(FILES.generation))
  const described = { config, stopTokens, dtype: dtypeNamed(json.dtype ?? json.torch_dtype) }
  if (!names.has(FILES.tokenizer)) return described
  const settings = names.has(FILES.tokenizerConfig) ? await readJson(folder, FILES.tokenizerConfig) : {}
  const chatTemplate = names.has(FILES.chatTemplate) ? await readText(folder, FILES.chatTemplate) : undefined
  const written = await readJson(folder, FILES.tokenizer)
  const tokenizer = loadTokenizer(written, settings, { chatTemplate, where: at(FILES.tokenizer) })
  if (tokenizer.vocabSize > config.vocabSize)
    throw new TroupeError(
      'E_CHECKPOINT',
      `the tokenizer has ${tokenizer.vocabSize} tokens and the model ${config.vocabSize}`,
      { where: at(FILES.tokenizer), hint: 'The files of two models were mixed: copy the whole folder again' },
    )
  return { ...described, tokenizer }
}

interface Settings {
  readonly eos_token_id?: unknown
  readonly dtype?: unknown
  readonly torch_dtype?: unknown
}

function readStops({ eosTokenId, vocabSize }: DecoderConfig, given: unknown, where: string): number[] {
  const stops: unknown[] = [given ?? eosTokenId].flat()
  const isToken = (id: unknown): id is number =>
    Number.isSafeInteger(id) && (id as number) >= 0 && (id as number) < vocabSize
  if (stops.length > 0 && stops.every(isToken)) return stops
  throw new TroupeError('E_CHECKPOINT', `eos_token_id is ${JSON.stringify(given)}`, {
    where,
    hint: `It must be a token below ${vocabSize}, or a list of them`,
  })
}
