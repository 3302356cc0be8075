import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type TroupeErrorCode, toWire, type WireError } from '../kernel/errors.js'
import { enter, type RunBook, runBook } from './book.js'
import type { RunEvent } from './events.js'
import { type LineFile, openLineFile, toJson, writeJson } from './run-folder-file.js'
import { type RunStatus, statusOf } from './status.js'
import { traceTranslator } from './trace.js'
import { usageProbe } from './usage.js'

/** What is known when a run begins; the contents of `config.json`. */
export interface RunDescription {
  readonly scenario: string
  readonly preset?: string
  readonly seed: number
  readonly stage: string
  readonly backend: string
  readonly config: unknown
  /** Milliseconds since the Unix epoch. */
  readonly startedAt: number
  readonly [more: string]: unknown
}

/** The contents of `error.json`: why there is no `summary.json`. */
interface RunFailure extends Omit<WireError, 'code'> {
  readonly code: TroupeErrorCode | 'E_FAILED'
  readonly at: number
}

/** The folder that a run writes; see DESIGN.md. Every method is synchronous and leaves readable files behind. */
export interface RunFolder {
  readonly path: string
  /** What the events so far add up to. */
  readonly book: RunBook
  /** Writes what the event says to the file that it belongs to. Events after `close` are dropped. */
  observe(event: RunEvent): void
  /** Writes `summary.json` and closes the folder. */
  finish(summary: unknown): void
  /** Writes `error.json` and closes the folder; nothing if the folder is closed already. */
  fail(error: unknown, at: number): void
}

const FLUSH_MS = 1000

/**
 * Starts a run folder: writes `config.json`, then, as events arrive, `metrics.jsonl`, `samples.jsonl` (records of kind
 * `sample`), `<kind>.jsonl` (other records), `log.jsonl` and `trace.json`. Whole lines reach the disk at least once a
 * second while events arrive, and so does `status.json`: what the events add up to, for `troupe top`.
 */
export function openRunFolder(path: string, description: RunDescription): RunFolder {
  mkdirSync(path, { recursive: true })
  writeJson(join(path, 'config.json'), description)
  const files = new Map<string, LineFile>()
  const lines = (name: string): LineFile => {
    const file = files.get(name) ?? openLineFile(join(path, name))
    files.set(name, file)
    return file
  }
  const trace = openTraceFile(join(path, 'trace.json'), description)
  for (const name of ['metrics.jsonl', 'samples.jsonl']) lines(name)
  const book = runBook()
  const probe = usageProbe()
  let flushedAt = description.startedAt
  let seenAt = flushedAt
  let open = true
  function writeStatus(at: number, ended?: RunStatus['ended']) {
    writeJson(join(path, 'status.json'), statusOf(book, description, { at, process: probe(), ended }))
  }
  function close(at: number, ended: RunStatus['ended']) {
    open = false
    writeStatus(at, ended)
    trace.close()
    for (const file of files.values()) file.close()
  }
  writeStatus(flushedAt)
  return {
    path,
    book,
    observe(event) {
      if (!open) return
      enter(book, event)
      trace.observe(event)
      const line = lineOf(event)
      if (line) lines(line.file).append(`${toJson(line.value)}\n`)
      const at = event.type === 'span' ? event.end : event.at
      seenAt = Math.max(seenAt, at)
      if (at - flushedAt < FLUSH_MS) return
      flushedAt = at
      writeStatus(at)
      trace.flush()
      for (const file of files.values()) file.flush()
    },
    finish(summary) {
      if (!open) return
      close(seenAt, { how: 'done' })
      writeJson(join(path, 'summary.json'), summary)
    },
    fail(error, at) {
      if (!open) return
      const wire = toWire(error)
      const code = wire.code ?? 'E_FAILED'
      close(at, { how: 'failed', code, message: wire.message })
      writeJson(join(path, 'error.json'), { ...wire, code, at } satisfies RunFailure)
    },
  }
}

/** Where an event is kept, besides the trace; undefined where the trace is enough. */
function lineOf(event: RunEvent): { file: string; value: unknown } | undefined {
  if (event.type === 'record') {
    if (event.kind === 'sample') return { file: 'samples.jsonl', value: event.value }
    return { file: recordFile(event.kind), value: { at: event.at, actor: event.actor.name, value: event.value } }
  }
  if (event.type === 'metric') {
    const { at, name, value, attributes } = event
    return {
      file: 'metrics.jsonl',
      value: { at, actor: event.actor.name, name, value, ...(attributes && { attributes }) },
    }
  }
  if (event.type === 'log') {
    const { at, level, message } = event
    return { file: 'log.jsonl', value: { at, actor: event.actor.name, level, message } }
  }
  if (event.type === 'aside') {
    const { at, input, error } = event
    const message = `set a message of "${input}" aside: ${error.message}`
    return { file: 'log.jsonl', value: { at, actor: event.actor.name, level: 'warn', message, input, error } }
  }
  if (event.type === 'state' && event.error) {
    const { at, state, error } = event
    return {
      file: 'log.jsonl',
      value: { at, actor: event.actor.name, level: 'error', message: error.message, state, error },
    }
  }
  return undefined
}

/** A file name that cannot leave the folder or hide one of its other files. */
function recordFile(kind: string): string {
  const safe = kind.replace(/[^\w-]+/g, '-').slice(0, 60)
  return ['metrics', 'samples', 'log', '', '-'].includes(safe) ? `record-${safe}.jsonl` : `${safe}.jsonl`
}

function openTraceFile(path: string, description: RunDescription) {
  const file = openLineFile(path)
  const translator = traceTranslator(`troupe ${description.scenario}`, description.startedAt)
  let separator = '['
  const write = (events: readonly object[]) => {
    for (const event of events) {
      file.append(`${separator}\n${toJson(event)}`)
      separator = ','
    }
  }
  return {
    observe: (event: RunEvent) => write(translator.translate(event)),
    flush: () => file.flush(),
    close() {
      write(translator.finish())
      file.append(separator === '[' ? '[]\n' : '\n]\n')
      file.close()
    },
  }
}
