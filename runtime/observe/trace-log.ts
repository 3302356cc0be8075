import { createHash } from 'node:crypto'
import type { WireError } from '../kernel/errors.js'
import { canonicalJson } from './canonical.js'
import type { RunEvent } from './events.js'
import { openLineFile } from './run-folder-file.js'

/** Events that say what the machine did and not what the run did: no two runs have the same. */
const UNTRACED: ReadonlySet<string> = new Set(['usage'])
/** Characters that wait to be hashed. */
const BLOCK = 64 * 1024

/** The trace of a virtual run as it grows: one line an event, in the order of events. */
export interface TraceLog {
  observe(event: RunEvent): void
  /** Lines so far. */
  readonly lines: number
  /** SHA-256 of all lines so far, in hexadecimal. */
  hash(): string
  flush(): void
  /** Flushes and closes; events after it are dropped. */
  close(): void
}

/**
 * Opens a new trace at `path` (`events.jsonl` of a run folder). Two runs did the same exactly where their files, and so
 * their hashes, are the same; {@link compareTraces} shows where they part. Stack traces are left out: they say where
 * Troupe is installed.
 */
export function openTraceLog(path: string): TraceLog {
  const file = openLineFile(path)
  const sha = createHash('sha256')
  let waiting = ''
  let lines = 0
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
    close() {
      open = false
      file.close()
    },
  }
}

function traced(event: RunEvent): RunEvent {
  return event.type === 'state' && event.error ? { ...event, error: withoutStack(event.error) } : event
}

function withoutStack({ stack, cause, ...error }: WireError): WireError {
  return cause ? { ...error, cause: withoutStack(cause) } : error
}
