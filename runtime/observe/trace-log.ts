import { createHash, type Hash } from 'node:crypto'
import { closeSync, openSync, readSync } from 'node:fs'
import type { WireError } from '../kernel/errors.js'
import { canonicalJson } from './canonical.js'
import type { RunEvent } from './events.js'
import { checkMark, openLineFile } from './run-folder-file.js'

/** Events that say what the machine did and not what the run did: no two runs have the same. */
const UNTRACED: ReadonlySet<string> = new Set(['usage'])
/** Characters that wait to be hashed. */
const BLOCK = 64 * 1024
const CHUNK = 1 << 20
const NEWLINE = 10

/** The trace of a virtual run as it grows: one line an event, in the order of events. */
export interface TraceLog {
  observe(event: RunEvent): void
  /** Lines so far. */
  readonly lines: number
  /** SHA-256 of all lines so far, in hexadecimal. */
  hash(): string
  flush(): void
  /** Flushes, waits for the disk, and gives the length in bytes: where {@link openTraceLog} can go on. */
  mark(): number
  /** Flushes and closes; events after it are dropped. */
  close(): void
}

/**
 * Opens a new trace at `path` (`events.jsonl` of a run folder). Two runs did the same exactly where their files, and so
 * their hashes, are the same; {@link compareTraces} shows where they part. Stack traces are left out: they say where
 * Troupe is installed. With `resumeAt` it goes on with the trace that is there, cut at so many bytes: the hash is that of the
 * whole. `E_JOURNAL` where the file is shorter.
 */
export function openTraceLog(path: string, { resumeAt }: { readonly resumeAt?: number | undefined } = {}): TraceLog {
  if (resumeAt !== undefined) checkMark(path, resumeAt)
  const file = openLineFile(path, resumeAt)
  const sha = createHash('sha256')
  let waiting = ''
  let lines = resumeAt === undefined ? 0 : digestFile(path, resumeAt, sha)
  let open = true
  const digest = () => {
    sha.update(waiting)
    waiting = ''
  }
  return {
    observe(event) {
      if (!open || UNTRACED.has(event.type)) return
      const line = `${canonicalJson(traced(event))}\n`
      file.append(line)
      waiting += line
      lines++
      if (waiting.length >= BLOCK) digest()
    },
    get lines() {
      return lines
    },
    hash() {
      digest()
      return sha.copy().digest('hex')
    },
    flush: () => file.flush(),
    mark: () => file.mark(),
    close() {
      open = false
      file.close()
    },
  }
}

/** Digests the first `length` bytes of a file, and gives the lines in them. */
function digestFile(path: string, length: number, sha: Hash): number {
  const file = openSync(path, 'r')
  try {
    const chunk = Buffer.alloc(CHUNK)
    let lines = 0
    for (let done = 0; done < length; ) {
      const count = readSync(file, chunk, 0, Math.min(CHUNK, length - done), done)
      if (count === 0) break
      const bytes = chunk.subarray(0, count)
      sha.update(bytes)
      for (const byte of bytes) if (byte === NEWLINE) lines++
      done += count
    }
    return lines
  } finally {
    closeSync(file)
  }
}

function traced(event: RunEvent): RunEvent {
  if (event.type === 'aside') return { ...event, error: withoutStack(event.error) }
  return event.type === 'state' && event.error ? { ...event, error: withoutStack(event.error) } : event
}

function withoutStack({ stack, cause, ...error }: WireError): WireError {
  return cause ? { ...error, cause: withoutStack(cause) } : error
}
