import { type FileHandle, open } from 'node:fs/promises'
import { TroupeError } from '../runtime/kernel/errors.js'
import { openInside } from './folder.js'
import { DTYPE_BYTES, type Dtype, narrow, widen } from './halves.js'
import {
  byName,
  elements,
  encodeHeader,
  failFile,
  floatDtype,
  type HeaderEntry,
  headerBytes,
  readHeader,
} from './safetensors.js'

/** Bytes in memory beside the target while a tensor is read. A multiple of 4. */
const CHUNK_BYTES = 2 ** 24

/** A safetensors file read tensor by tensor, so that its size does not matter. */
export interface SafetensorsFile {
  readonly where: string
  readonly entries: readonly HeaderEntry[]
  /** As float32, into `target` where that is given. Throws `E_CHECKPOINT`. */
  read(entry: HeaderEntry, target?: Float32Array): Promise<Float32Array>
  close(): Promise<void>
}

/** Opens a file of `folder` and checks its header against its size. Throws `E_CHECKPOINT`. */
export async function openSafetensors(folder: string, name: string): Promise<SafetensorsFile> {
  const { handle, size, where } = await openInside(folder, name)
  const fail = failFile(where)
  try {
    const first = await readExactly(handle, 0, new Uint8Array(Math.min(8, size)), fail)
    const start = 8 + headerBytes(first, size, fail)
    const header = await readExactly(handle, 8, new Uint8Array(start - 8), fail)
    return {
      where,
      entries: readHeader(header, size - start, fail),
      async read(entry, target = new Float32Array(elements(entry))) {
        const dtype = floatDtype(entry, fail)
        for (let at = 0; at < entry.end - entry.begin; at += CHUNK_BYTES) {
          const size = Math.min(CHUNK_BYTES, entry.end - entry.begin - at)
          const from = at / DTYPE_BYTES[dtype]
          const part = target.subarray(from, from + size / DTYPE_BYTES[dtype])
          const isRead = dtype === 'F32' // straight to its place
          const bytes = isRead ? new Uint8Array(part.buffer, part.byteOffset, size) : new Uint8Array(size)
          await readExactly(handle, start + entry.begin + at, bytes, fail)
          if (!isRead) widen(bytes, dtype, part)
        }
        return target
      },
      close: () => handle.close(),
    }
  } catch (error) {
    await handle.close()
    throw error
  }
}

async function readExactly(handle: FileHandle, position: number, into: Uint8Array, fail: (message: string) => never) {
  for (let done = 0; done < into.length; ) {
    const { bytesRead } = await handle.read(into, done, into.length - done, position + done)
    if (bytesRead === 0) fail(`the file ended at ${position + done} bytes while it was read`)
    done += bytesRead
  }
  return into
}

/** A tensor to be written; its values are asked for when it is its turn. */
export interface TensorSource {
  readonly name: string
  readonly shape: readonly number[]
  readonly data: () => Float32Array
}

function narrowed(name: string, values: Float32Array, dtype: Dtype): Uint8Array {
  const bytes = narrow(values, dtype)
  if (bytes) return bytes
  throw new TroupeError('E_CHECKPOINT', `tensor ${name} holds a value that ${dtype} cannot hold`, {
    where: name,
    hint: dtype === 'F16' ? 'Write BF16 or F32' : 'Write F32, and look for weights that have diverged',
  })
}

/**
 * Writes a safetensors file, tensor by tensor in name order. `E_CHECKPOINT` for a value that `dtype` cannot hold; what was
 * written until then is left for the caller to remove.
 */
export async function writeSafetensors(path: string, tensors: readonly TensorSource[], dtype: Dtype): Promise<void> {
  const sorted = [...tensors].sort(byName)
  const handle = await open(path, 'wx')
  try {
    await handle.writeFile(encodeHeader(sorted, dtype))
    for (const { name, data } of sorted) {
      const values = data()
      const step = CHUNK_BYTES / 4
      for (let at = 0; at < values.length; at += step)
        await handle.writeFile(narrowed(name, values.subarray(at, at + step), dtype))
    }
    await handle.sync()
  } finally {
    await handle.close()
  }
}
