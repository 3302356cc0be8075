import { readFile, realpath, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { TroupeError } from '../runtime/kernel/errors.js'

/** Largest file that is read, in bytes: what one Buffer holds on every platform. */
const MAX_FILE_BYTES = 2 ** 31 - 1
/** Largest JSON file that is parsed, in bytes. */
const MAX_JSON_BYTES = 256 * 2 ** 20

/** A regular file directly in `folder`, whole. A link that leads out of the folder is refused. Throws `E_CHECKPOINT`. */
export async function readWhole(folder: string, name: string, mostBytes = MAX_FILE_BYTES): Promise<Uint8Array> {
  const where = join(folder, name)
  const fail = (message: string, hint: string, cause?: unknown): never => {
    throw new TroupeError('E_CHECKPOINT', message, { where, hint, cause })
  }
  try {
    if (dirname(await realpath(where)) !== (await realpath(folder)))
      return fail('the file is a link that leads out of the folder', 'Copy the file itself into the folder')
    const found = await stat(where)
    if (!found.isFile()) return fail('this is not a regular file', 'Copy the checkpoint again')
    if (found.size > mostBytes)
      return fail(`the file has ${found.size} bytes, and at most ${mostBytes} are read`, 'Use a smaller checkpoint')
    return await readFile(where)
  } catch (error) {
    if (error instanceof TroupeError) throw error
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT'
    return fail(
      missing ? 'there is no such file' : `the file cannot be read: ${(error as Error).message}`,
      'A checkpoint is a folder with config.json and model.safetensors',
      error,
    )
  }
}

/** A JSON object from a file in `folder`. Throws `E_CHECKPOINT`. */
export async function readJson(folder: string, name: string): Promise<object> {
  const bytes = await readWhole(folder, name, MAX_JSON_BYTES)
  const where = join(folder, name)
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (error) {
    throw new TroupeError('E_CHECKPOINT', `the file is not JSON: ${(error as Error).message}`, {
      where,
      hint: 'Copy or download it again',
      cause: error,
    })
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new TroupeError('E_CHECKPOINT', 'the file holds no JSON object', { where, hint: 'Copy or download it again' })
  return value
}
