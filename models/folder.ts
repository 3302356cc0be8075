import { type FileHandle, open, realpath, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { TroupeError } from '../runtime/kernel/errors.js'

/** Largest text file that is read, in bytes. */
const MAX_TEXT_BYTES = 256 * 2 ** 20

/**
 * Opens a regular file directly in `folder` for reading. A name that is a path, and a link that leads out of the folder, are
 * refused. Throws `E_CHECKPOINT`.
 */
export async function openInside(
  folder: string,
  name: string,
): Promise<{ handle: FileHandle; size: number; where: string }> {
  const where = join(folder, name)
  const fail = (message: string, hint: string, cause?: unknown): never => {
    throw new TroupeError('E_CHECKPOINT', message, { where, hint, cause })
  }
  try {
    if (name === '' || name === '.' || name === '..' || /[/\\\0]/.test(name))
      return fail(`${JSON.stringify(name)} is not the name of a file in the folder`, 'Copy the checkpoint again')
    if (dirname(await realpath(where)) !== (await realpath(folder)))
      return fail('the file is a link that leads out of the folder', 'Copy the file itself into the folder')
    const found = await stat(where) // before opening: a pipe would be waited for
    if (!found.isFile()) return fail('this is not a regular file', 'Copy the checkpoint again')
    return { handle: await open(where), size: found.size, where }
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

/** A UTF-8 text from a file in `folder`. Throws `E_CHECKPOINT`. */
export async function readText(folder: string, name: string): Promise<string> {
  const { handle, size, where } = await openInside(folder, name)
  const fail = (message: string, hint: string, cause?: unknown): never => {
    throw new TroupeError('E_CHECKPOINT', message, { where, hint, cause })
  }
  try {
    if (size > MAX_TEXT_BYTES)
      return fail(`the file has ${size} bytes, and at most ${MAX_TEXT_BYTES} are read`, 'Use a smaller checkpoint')
    return new TextDecoder('utf-8', { fatal: true }).decode(await handle.readFile())
  } catch (error) {
    if (error instanceof TroupeError) throw error
    return fail(`the file is not text: ${(error as Error).message}`, 'Copy or download it again', error)
  } finally {
    await handle.close()
  }
}

/** A JSON object from a file in `folder`. Throws `E_CHECKPOINT`. */
export async function readJson(folder: string, name: string): Promise<object> {
  const text = await readText(folder, name)
  const where = join(folder, name)
  let value: unknown
  try {
    value = JSON.parse(text)
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
