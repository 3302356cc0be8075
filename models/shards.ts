import { join } from 'node:path'
import { TroupeError } from '../runtime/kernel/errors.js'
import { readJson } from './folder.js'
import { DTYPE_BYTES, type Dtype } from './halves.js'
import { byName } from './safetensors.js'
import { openSafetensors, type SafetensorsFile, type TensorSource } from './safetensors-file.js'

export const WEIGHTS = 'model.safetensors'
export const WEIGHT_INDEX = 'model.safetensors.index.json'

/** Files that an index may name at most. */
const MAX_SHARDS = 4096

/** True for the names that shards of ours or of transformers have. */
export const isShard = (name: string): boolean => /^model-\d{5}-of-\d{5}\.safetensors$/.test(name)

/** Opens the weights of a folder, in one file or several; all are checked against each other. The caller closes them. */
export async function openWeights(folder: string, names: ReadonlySet<string>): Promise<SafetensorsFile[]> {
  if (names.has(WEIGHTS) || !names.has(WEIGHT_INDEX)) return [await openSafetensors(folder, WEIGHTS)]
  const where = join(folder, WEIGHT_INDEX)
  const { shards, total } = readIndex(await readJson(folder, WEIGHT_INDEX), where)
  const files: SafetensorsFile[] = []
  try {
    for (const [name, tensors] of shards) {
      const file = await openSafetensors(folder, name)
      files.push(file)
      checkShard(file, tensors)
    }
    const held = files.flatMap(({ entries }) => entries).reduce((sum, { begin, end }) => sum + end - begin, 0)
    if (total !== undefined && total !== held)
      throw failIndex(where, `metadata.total_size is ${total}, and the files hold ${held} bytes`)
    return files
  } catch (error) {
    for (const file of files) await file.close()
    throw error
  }
}

function failIndex(where: string, message: string): TroupeError {
  return new TroupeError('E_CHECKPOINT', message, {
    where,
    hint: 'The index and the files are not of the same checkpoint: copy or download the whole folder again',
  })
}

/** Which tensors each file should hold, and how many bytes there should be in all. */
function readIndex(json: object, where: string): { shards: Map<string, Set<string>>; total: number | undefined } {
  const { weight_map: map, metadata } = json as Record<string, unknown>
  if (typeof map !== 'object' || map === null || Array.isArray(map))
    throw failIndex(where, 'weight_map is not an object')
  const shards = new Map<string, Set<string>>()
  for (const [tensor, file] of Object.entries(map)) {
    if (typeof file !== 'string' || !/^[\w-][\w.-]*\.safetensors$/.test(file))
      throw failIndex(
        where,
        `tensor ${tensor} is in ${JSON.stringify(file)}, which is not the name of a safetensors file`,
      )
    shards.set(file, (shards.get(file) ?? new Set()).add(tensor))
  }
  if (shards.size === 0 || shards.size > MAX_SHARDS)
    throw failIndex(where, `weight_map names ${shards.size} files, and 1 to ${MAX_SHARDS} are read`)
  const total = (metadata as Record<string, unknown> | null | undefined)?.total_size
  if (total !== undefined && !Number.isSafeInteger(total))
    throw failIndex(where, `metadata.total_size is ${JSON.stringify(total)}`)
  return { shards, total: total as number | undefined }
}

function checkShard({ where, entries }: SafetensorsFile, tensors: ReadonlySet<string>): void {
  const held = new Set(entries.map(({ name }) => name))
  for (const name of held)
    if (!tensors.has(name)) throw failIndex(where, `tensor ${name} is here, and the index puts it elsewhere or nowhere`)
  for (const name of tensors)
    if (!held.has(name)) throw failIndex(where, `tensor ${name} is not here, and the index says that it is`)
}

/**
 * Distributes tensors over files of at most `maxBytes` (one that is larger has a file of its own), in name order. One file
 * where all fit; else the index comes with them.
 */
export function planShards(
  tensors: readonly TensorSource[],
  dtype: Dtype,
  maxBytes: number,
): { files: { name: string; tensors: TensorSource[] }[]; index: object | undefined } {
  const bytesOf = ({ shape }: TensorSource) => shape.reduce((product, size) => product * size, DTYPE_BYTES[dtype])
  const groups: TensorSource[][] = []
  let room = 0
  for (const tensor of [...tensors].sort(byName)) {
    room -= bytesOf(tensor)
    if (room < 0) {
      groups.push([])
      room = maxBytes - bytesOf(tensor)
    }
    groups.at(-1)!.push(tensor)
  }
  if (groups.length === 1) return { files: [{ name: WEIGHTS, tensors: groups[0]! }], index: undefined }
  const number = (n: number) => String(n).padStart(5, '0')
  const files = groups.map((group, at) => ({
    name: `model-${number(at + 1)}-of-${number(groups.length)}.safetensors`,
    tensors: group,
  }))
  const total_size = tensors.reduce((sum, tensor) => sum + bytesOf(tensor), 0)
  const weight_map = Object.fromEntries(files.flatMap(({ name, tensors: held }) => held.map((one) => [one.name, name])))
  return { files, index: { metadata: { total_size }, weight_map } }
}
