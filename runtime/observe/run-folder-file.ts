import { closeSync, openSync, renameSync, writeFileSync, writeSync } from 'node:fs'

const BUFFER_CHARACTERS = 64 * 1024

/** A text file that grows by whole lines. */
export interface LineFile {
  append(line: string): void
  flush(): void
  /** Flushes and closes; closing twice is harmless. */
  close(): void
}

/**
 * Opens a new file for appending. At most 64 Ki characters wait in memory, then they are written before `append`
 * returns: a slow disk slows the run and nothing piles up. Synchronous, so that a process that is told to exit at once
 * still leaves whole lines behind.
 */
export function openLineFile(path: string): LineFile {
  const file = openSync(path, 'wx')
  let waiting: string[] = []
  let size = 0
  let open = true
  function flush() {
    if (size === 0) return
    const bytes = Buffer.from(waiting.join(''))
    waiting = []
    size = 0
    for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at)
  }
  return {
    append(line) {
      if (!open) return
      waiting.push(line)
      size += line.length
      if (size >= BUFFER_CHARACTERS) flush()
    },
    flush,
    close() {
      if (!open) return
      flush()
      open = false
      closeSync(file)
    },
  }
}

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
