import {
  closeSync,
  constants,
  fsyncSync,
  ftruncateSync,
  openSync,
  renameSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { basename } from 'node:path'
import { TroupeError } from '../kernel/errors.js'

const BUFFER_CHARACTERS = 64 * 1024

/** A text file that grows by whole lines. */
export interface LineFile {
  append(line: string): void
  /** Writes what waits. `E_JOURNAL` where it cannot (a full disk): what was not written is tried again by the next flush. */
  flush(): void
  /** Flushes, waits for the disk, and gives the length in bytes. */
  mark(): number
  /** Flushes and closes; closing twice is harmless. */
  close(): void
}

/**
 * Opens a new file for appending, or one that is there, cut at `from` bytes. At most 64 Ki characters wait in memory, then
 * they are written before `append` returns: a slow disk slows the run and nothing piles up. Synchronous, so that a process that is told to exit at once still leaves whole lines behind.
 */
export function openLineFile(path: string, from?: number): LineFile {
  const file = openSync(path, from === undefined ? 'wx' : constants.O_RDWR | constants.O_CREAT)
  if (from !== undefined) ftruncateSync(file, from)
  let length = from ?? 0
  /** On the disk for sure. */
  let synced = -1
  let waiting: string[] = []
  let size = 0
  /** What a full disk has left over of a flush. */
  let rest = new Uint8Array(0)
  let open = true

  function flush(): void {
    if (size > 0) {
      rest = rest.length > 0 ? Buffer.concat([rest, Buffer.from(waiting.join(''))]) : Buffer.from(waiting.join(''))
      waiting = []
      size = 0
    }
    try {
      while (rest.length > 0) {
        const written = writeSync(file, rest, 0, rest.length, length)
        length += written
        rest = rest.subarray(written)
      }
    } catch (cause) {
      throw unwritten(path, cause)
    }
  }

  return {
    append(line) {
      if (!open) return
      waiting.push(line)
      size += line.length
      if (size >= BUFFER_CHARACTERS) flush()
    },
    flush,
    mark() {
      flush()
      if (synced !== length) fsyncSync(file)
      synced = length
      return length
    },
    close() {
      if (!open) return
      open = false
      try {
        flush()
      } finally {
        closeSync(file)
      }
    },
  }
}

/** `E_JOURNAL` where the file does not have as many bytes as the journal says. */
export function checkMark(path: string, mark: number): void {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0
  if (size < mark)
    throw new TroupeError('E_JOURNAL', `${basename(path)} has ${size} bytes, and the journal knows of ${mark}`, {
      where: path,
      hint: 'The file was changed or lost since: the run cannot go on from it',
    })
}

function unwritten(path: string, cause: unknown): TroupeError {
  return new TroupeError('E_JOURNAL', `${basename(path)} cannot be written (${codeOf(cause)})`, {
    cause,
    where: path,
    hint: 'Make room on the disk; then the run can be resumed',
  })
}

const codeOf = (error: unknown) => (error as NodeJS.ErrnoException).code ?? String(error)

/** Writes a JSON document so that a reader finds the old file or the whole new one, never a part. */
export function writeJson(path: string, value: unknown): void {
  writeFileSync(`${path}.part`, `${toJson(value, 2)}\n`)
  renameSync(`${path}.part`, path)
}

/** JSON in which typed arrays are arrays and big integers are strings. */
export function toJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, plain, indent) ?? 'null'
}

function plain(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString()
  if (ArrayBuffer.isView(value) && !(value instanceof DataView))
    return Array.from(value as unknown as ArrayLike<number>)
  return value
}
