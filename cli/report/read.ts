import { createReadStream, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { TroupeError } from '../../runtime/kernel/errors.js'
import { beginningOf } from '../../runtime/observe/run-time.js'
import type { TraceEvent } from '../../runtime/observe/trace.js'
import { type Summary, summarySchema } from '../../scenarios/summary.js'
import { type Curve, growingCurve } from './curve.js'
import { type EvaluationLine, evaluationOf } from './evaluations.js'

export type Json = Record<string, unknown>

/** Everything the report shows of a run folder; curves and samples are thinned while they are read. */
export interface RunData {
  readonly folder: string
  readonly description: Json
  /** Absent where the run did not finish. */
  readonly summary: Summary | undefined
  readonly error: Json | undefined
  /** By metric name; x in seconds since the run began. */
  readonly metrics: ReadonlyMap<string, Curve>
  readonly queues: ReadonlyMap<string, Curve>
  readonly turns: readonly TraceEvent[]
  /** Names of the trace's tracks by track number. */
  readonly tracks: ReadonlyMap<number, string>
  readonly samples: readonly Json[]
  readonly evaluations: readonly EvaluationLine[]
}

/** Samples kept: evenly spread over the run. */
const SAMPLES = 12

/** Reads a run folder, also of a run that was stopped or killed. `E_DATA` where it is none. */
export async function readRun(folder: string): Promise<RunData> {
  const description = readJson(folder, 'config.json')
  if (!description)
    throw new TroupeError('E_DATA', `"${folder}" is no run folder: it has no config.json`, {
      hint: 'Give the folder that "troupe run" wrote',
    })
  const summary = readJson(folder, 'summary.json')
  const checked = summary ? summarySchema.safeParse(summary) : undefined
  if (checked && !checked.success) {
    const [issue] = checked.error.issues
    throw new TroupeError('E_DATA', `summary.json is malformed at "${issue?.path.join('.')}": ${issue?.message}`, {
      where: folder,
    })
  }
  return {
    folder,
    description,
    summary: checked?.data,
    error: readJson(folder, 'error.json'),
    metrics: await readMetrics(folder, beginningOf(timesOf(description))),
    samples: await readSamples(folder),
    evaluations: await readEvaluations(folder),
    ...(await readTrace(folder)),
  }
}

function readJson(folder: string, name: string): Json | undefined {
  const path = join(folder, name)
  if (!existsSync(path)) return undefined
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Json
  } catch (cause) {
    throw new TroupeError('E_DATA', `${name} is not JSON`, { where: folder, cause })
  }
}

const timesOf = ({ stage, startedAt }: Json) => ({ stage: String(stage), startedAt: Number(startedAt ?? 0) })

/** Each line's value; a line cut short by the end of the process is left out. */
async function* readLines(folder: string, name: string): AsyncGenerator<Json> {
  const path = join(folder, name)
  if (!existsSync(path)) return
  for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY })) {
    const text = line.replace(/^\[?,?|,$|^\]$/g, '').trim()
    if (text === '' || text === ']') continue
    try {
      const value: unknown = JSON.parse(text)
      if (typeof value === 'object' && value !== null) yield value as Json
    } catch {}
  }
}

async function readMetrics(folder: string, startedAt: number): Promise<Map<string, Curve>> {
  const curves = new Map<string, ReturnType<typeof growingCurve>>()
  for await (const { at, name, value } of readLines(folder, 'metrics.jsonl'))
    addPoint(curves, String(name), (Number(at) - startedAt) / 1000, Number(value))
  return finished(curves)
}

async function readTrace(folder: string): Promise<Pick<RunData, 'turns' | 'tracks' | 'queues'>> {
  const turns: TraceEvent[] = []
  const tracks = new Map<number, string>()
  const queues = new Map<string, ReturnType<typeof growingCurve>>()
  for await (const line of readLines(folder, 'trace.json')) {
    const event = line as unknown as TraceEvent
    if (event.ph === 'X') turns.push(event)
    else if (event.ph === 'M' && event.name === 'thread_name') tracks.set(event.tid, String(event.args.name))
    else if (event.ph === 'C' && event.name.includes(' queue: '))
      addPoint(queues, event.name.replace(' queue: ', ' · '), event.ts / 1e6, Number(event.args.value))
  }
  return { turns, tracks, queues: finished(queues) }
}

async function readEvaluations(folder: string): Promise<EvaluationLine[]> {
  const out: EvaluationLine[] = []
  for await (const line of readLines(folder, 'evaluation.jsonl')) out.push(...evaluationOf(line))
  return out
}

function addPoint(curves: Map<string, ReturnType<typeof growingCurve>>, name: string, x: number, y: number): void {
  const curve = curves.get(name) ?? growingCurve()
  curves.set(name, curve)
  if (Number.isFinite(x) && Number.isFinite(y)) curve.add(x, y)
}

function finished(curves: ReadonlyMap<string, ReturnType<typeof growingCurve>>): Map<string, Curve> {
  return new Map([...curves].map(([name, curve]) => [name, curve.points()]))
}

/** Keeps every n-th sample, n doubled whenever twice as many as wanted are held. */
async function readSamples(folder: string): Promise<Json[]> {
  let kept: Json[] = []
  let every = 1
  let seen = 0
  for await (const sample of readLines(folder, 'samples.jsonl')) {
    if (seen++ % every === 0) kept.push(sample)
    if (kept.length < 2 * SAMPLES) continue
    kept = kept.filter((_, index) => index % 2 === 0)
    every *= 2
  }
  return kept
}
