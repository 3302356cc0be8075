import { TroupeError } from '../runtime/kernel/errors.js'
import { architectureOf, type DecoderConfig } from './config.js'
import { areFinite } from './halves.js'
import { type HeadKind, headLayout } from './head-layout.js'
import { paramLayout } from './layout.js'
import { namesOf } from './names.js'
import type { HeaderEntry } from './safetensors.js'
import type { SafetensorsFile } from './safetensors-file.js'
import { openWeights } from './shards.js'
import { type StoredTensor, storedTensors, unpackStored } from './stored.js'

/** Buffers that old versions of transformers stored, and that follow from the configuration. */
const DERIVED = /(\.rotary_emb\.inv_freq|\.attn\.(masked_)?bias|\.attention\.(masked_)?bias)$/

/** A tensor and the file that holds it. */
interface Held {
  readonly file: SafetensorsFile
  readonly entry: HeaderEntry
}

/**
 * The flat vector from the weights of a folder. Names and shapes are compared with the configuration before anything is
 * allocated; then each tensor is read straight to its place. Throws `E_CHECKPOINT`.
 */
export async function readWeights(
  folder: string,
  names: ReadonlySet<string>,
  config: DecoderConfig,
  head?: HeadKind,
): Promise<Float32Array> {
  const files = await openWeights(folder, names)
  try {
    const held = findAll(config, files, head)
    const wanted = storedTensors(config, head)
    for (const stored of wanted) checkShape(stored, held, files)
    const params = allocate((head ? headLayout(config, head) : paramLayout(config)).total, files)
    for (const stored of wanted) await readStored(stored, held.get(stored.name)!, params)
    await checkTiedHead(config, held, params)
    return params
  } finally {
    for (const file of files) await file.close()
  }
}

function fail(where: string, message: string): never {
  throw new TroupeError('E_CHECKPOINT', message, {
    where,
    hint: 'config.json and the weights are not of the same model, or one is damaged: copy the whole folder again',
  })
}

/** Every tensor of the model by its name; one that is no part of the model is refused. */
function findAll(config: DecoderConfig, files: readonly SafetensorsFile[], kind?: HeadKind): Map<string, Held> {
  const head = `${namesOf(config).model.head}.weight`
  const known = new Set(storedTensors(config, kind).map(({ name }) => name))
  const isBare = architectureOf(config) === 'gpt2' && !files.some(({ entries }) => entries.some(isPrefixed))
  const held = new Map<string, Held>()
  for (const file of files)
    for (const entry of file.entries) {
      const name = isBare && entry.name !== head ? `transformer.${entry.name}` : entry.name
      const isTied = config.tieWordEmbeddings && name === head
      if (!known.has(name) && !isTied) {
        if (DERIVED.test(name)) continue
        fail(file.where, `tensor ${entry.name} is not part of the configured model`)
      }
      if (held.has(name)) fail(file.where, `tensor ${name} is in two files`)
      held.set(name, { file, entry })
    }
  return held
}

/** The first GPT-2 checkpoints were saved without the language-model class: their names lack this prefix. */
const isPrefixed = ({ name }: HeaderEntry): boolean => name.startsWith('transformer.')

function checkShape({ name, shape }: StoredTensor, held: ReadonlyMap<string, Held>, files: readonly SafetensorsFile[]) {
  const found = held.get(name)
  if (!found) return fail(files[0]!.where, `tensor ${name} is missing`)
  const { entry, file } = found
  if (entry.shape.join() !== shape.join())
    fail(
      file.where,
      `tensor ${name} has shape [${entry.shape.join(', ')}] and the configuration says [${shape.join(', ')}]`,
    )
}

function allocate(total: number, [first]: readonly SafetensorsFile[]): Float32Array {
  try {
    return new Float32Array(total)
  } catch {
    return fail(first!.where, `${total} parameters do not fit into memory`)
  }
}

async function readStored(stored: StoredTensor, { file, entry }: Held, params: Float32Array): Promise<void> {
  const [only] = stored.parts
  const isWhole = stored.form === 'plain' && stored.parts.length === 1
  const place = isWhole ? params.subarray(only!.offset, only!.offset + only!.length) : undefined
  const data = await file.read(entry, place)
  if (!areFinite(data)) fail(file.where, `tensor ${stored.name} holds values that are not finite`)
  if (!isWhole) unpackStored(stored, data, params)
}

/** A head that is stored although it is tied must be the embedding. */
async function checkTiedHead(config: DecoderConfig, held: ReadonlyMap<string, Held>, params: Float32Array) {
  const { head: name, embed } = namesOf(config).model
  const head = held.get(`${name}.weight`)
  if (!head || !config.tieWordEmbeddings) return
  const data = await head.file.read(head.entry)
  const { offset, length } = paramLayout(config).entries.find((entry) => entry.name === `${embed}.weight`)!
  const embedding = params.subarray(offset, offset + length)
  if (data.length !== length || !data.every((value, index) => value === embedding[index]))
    fail(head.file.where, `tie_word_embeddings is true, and ${name}.weight is not the embedding`)
}
