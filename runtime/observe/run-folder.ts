import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { assert, TroupeError, type TroupeErrorCode, toWire, type WireError } from '../kernel/errors.js'
import { enter, type RunBook, runBook } from './book.js'
import type { RunEvent } from './events.js'
import { checkMark, type LineFile, openLineFile, toJson, writeJson } from './run-folder-file.js'
import { lockRunFolder } from './run-folder-lock.js'
import { beginningOf, heardAt, isVirtual, timeOf } from './run-time.js'
import { type RunStatus, statusOf } from './status.js'
import { openTraceFile, type TraceFile } from './trace-file.js'
import { openTraceLog, type TraceLog } from './trace-log.js'
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
  readonly description: RunDescription
  /** Writes what the event says to the file that it belongs to. Events after `close` are dropped. */
  observe(event: RunEvent): void
  /** Brings everything to the disk, and says how long each file is then: what {@link resumeRunFolder} needs. */
  marks(): Record<string, number>
  /** Of a virtual run: the hash of its events so far. */
  traceHash(): string | undefined
  /** Writes `summary.json` and closes the folder. */
  finish(summary: unknown): void
  /** Writes `error.json` and closes the folder; nothing if the folder is closed already. */
  fail(error: unknown, at: number): void
}

const FLUSH_MS = 1000
const TRACE = 'trace.json'
/** The trace of a virtual run; see {@link openTraceLog}. */
export const EVENTS = 'events.jsonl'

/**
 * Starts a run folder: writes `config.json`, then, as events arrive, `metrics.jsonl`, `samples.jsonl` (records of kind
 * `sample`), `<kind>.jsonl` (other records), `log.jsonl` and `trace.json`. Whole lines reach the disk at least once a
 * second while events arrive, and so does `status.json`: what the events add up to, for `troupe top`. A virtual run has
 * `events.jsonl` besides.
 * `E_JOURNAL` where another process writes the folder.
 */
export function openRunFolder(path: string, description: RunDescription): RunFolder {
  mkdirSync(path, { recursive: true })
  return locked(lockRunFolder(path), (release) => {
    writeJson(join(path, 'config.json'), description)
    const files = new Map<string, LineFile>()
    for (const name of ['metrics.jsonl', 'samples.jsonl']) files.set(name, openLineFile(join(path, name)))
    const trace = openTraceFile(join(path, TRACE), translated(description))
    const events = isVirtual(description) ? openTraceLog(join(path, EVENTS)) : undefined
    return runFolder({ path, description, files, trace, events, book: runBook(), release })
  })
}

/**
 * Goes on with a run folder from a moment of which `marks` tells: every file is cut to what it was then, and what has
 * come since is gone. `E_JOURNAL` where a file is shorter than that, or another process writes the folder; with `lock`, what
 * {@link lockRunFolder} gave, the caller has made sure of that.
 */
export function resumeRunFolder(
  path: string,
  marks: Readonly<Record<string, number>>,
  options: { readonly book?: RunBook | undefined; readonly lock?: (() => void) | undefined } = {},
): RunFolder {
  return locked(options.lock ?? lockRunFolder(path), (release) => {
    const description = readRunDescription(path)
    for (const [name, mark] of Object.entries(marks)) {
      if (!isLineFile(name))
        throw new TroupeError('E_JOURNAL', `the journal knows of a file "${name}"`, { where: path })
      checkMark(join(path, name), mark)
    }
    for (const name of readdirSync(path))
      if ((isLineFile(name) && !(name in marks)) || ENDINGS.includes(name)) rmSync(join(path, name))
    const files = new Map<string, LineFile>()
    for (const [name, mark] of Object.entries(marks))
      if (name !== TRACE && name !== EVENTS) files.set(name, openLineFile(join(path, name), mark))
    const trace = openTraceFile(join(path, TRACE), translated(description), marks[TRACE] ?? 0)
    const resumeAt = marks[EVENTS] ?? 0
    const events = isVirtual(description) ? openTraceLog(join(path, EVENTS), { resumeAt }) : undefined
    const { book = runBook() } = options
    return runFolder({ path, description, files, trace, events, book, release })
  })
}

/** What a run folder says about its run; `E_JOURNAL` where it does not say it. */
export function readRunDescription(path: string): RunDescription {
  const where = join(path, 'config.json')
  try {
    const read: unknown = JSON.parse(readFileSync(where, 'utf8'))
    if (typeof read === 'object' && read && 'startedAt' in read && 'scenario' in read) return read as RunDescription
  } catch (cause) {
    throw new TroupeError('E_JOURNAL', 'this is no run folder: its config.json cannot be read', { where, cause })
  }
  throw new TroupeError('E_JOURNAL', 'this is no run folder: its config.json does not describe a run', { where })
}

/** Says that the run has ended. */
const ENDINGS = ['error.json', 'summary.json', 'report.html']

const isLineFile = (name: string) => name === TRACE || /^[\w-]+\.jsonl$/.test(name)

/** `make` is to call `release` when the folder is closed. */
function locked(release: () => void, make: (release: () => void) => RunFolder): RunFolder {
  try {
    return make(release)
  } catch (error) {
    release()
    throw error
  }
}

interface OpenFolder {
  readonly path: string
  readonly description: RunDescription
  readonly files: Map<string, LineFile>
  readonly trace: TraceFile
  readonly events: TraceLog | undefined
  readonly book: RunBook
  readonly release: () => void
}

/** Its times are since the run's first event. */
const translated = (run: RunDescription) => ({ scenario: run.scenario, startedAt: beginningOf(run) })

function runFolder({ path, description, files, trace, events, book, release }: OpenFolder): RunFolder {
  const heard = heardAt(description)
  let flushedAt = description.startedAt
  let open = true

  function lines(name: string): LineFile {
    const file = files.get(name) ?? openLineFile(join(path, name))
    files.set(name, file)
    return file
  }
  const probe = usageProbe()
  let seenAt = description.startedAt
  /** Of the run's own time. */
  let time = beginningOf(description)

  function writeStatus(at: number, ended?: RunStatus['ended']) {
    const virtualMs = isVirtual(description) ? time : undefined
    writeJson(join(path, 'status.json'), statusOf(book, description, { at, virtualMs, process: probe(), ended }))
  }

  /** Closes every file, whatever becomes of the others; gives the first failure. */
  function close(at: number, ended: RunStatus['ended']): unknown {
    open = false
    const failures: unknown[] = []
    const written = [trace, ...(events ? [events] : []), ...files.values()]
    const closings = [() => writeStatus(at, ended), ...written.map((file) => () => file.close())]
    for (const closing of closings)
      try {
        closing()
      } catch (error) {
        failures.push(error)
      }
    release()
    return failures[0]
  }

  writeStatus(seenAt)
  return {
    path,
    description,
    book,
    observe(event) {
      if (!open) return
      enter(book, event)
      trace.observe(event)
      events?.observe(event)
      const line = lineOf(event)
      if (line) lines(line.file).append(`${toJson(line.value)}\n`)
      time = Math.max(time, timeOf(event))
      const at = heard(event)
      seenAt = Math.max(seenAt, at)
      if (at - flushedAt < FLUSH_MS) return
      flushedAt = at
      writeStatus(at)
      trace.flush()
      events?.flush()
      for (const file of files.values()) file.flush()
    },
    marks() {
      assert(open, 'marks are of an open run folder')
      const marked = [...files].map(([name, file]) => [name, file.mark()] as const)
      const trails = [[TRACE, trace.mark()], ...(events ? [[EVENTS, events.mark()]] : [])]
      return Object.fromEntries([...trails, ...marked])
    },
    traceHash: () => events?.hash(),
    finish(summary) {
      if (!open) return
      const failure = close(seenAt, { how: 'done' })
      if (failure !== undefined) throw failure
      writeJson(join(path, 'summary.json'), summary)
    },
    fail(error, at) {
      if (!open) return
      const wire = toWire(error)
      const code = wire.code ?? 'E_FAILED'
      close(at, { how: 'failed', code, message: wire.message }) // on a full disk this fails too, and says less than the error does
      try {
        writeJson(join(path, 'error.json'), { ...wire, code, at } satisfies RunFailure)
      } catch {
        // whoever calls has the error itself, and tells it
      }
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
  return ['metrics', 'samples', 'log', 'events', '', '-'].includes(safe) ? `record-${safe}.jsonl` : `${safe}.jsonl`
}
