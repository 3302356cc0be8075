import { createHash } from 'node:crypto'
import { createReadStream, existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { TroupeError } from '../runtime/kernel/errors.js'
import { compareTraces, type TraceDifference } from '../runtime/observe/compare-traces.js'
import { EVENTS, type RunDescription } from '../runtime/observe/run-folder.js'
import { isVirtual } from '../runtime/observe/run-time.js'

/** A virtual run as its folder tells of it. */
export interface TracedRun {
  readonly folder: string
  readonly description: RunDescription
}

/** What two folders of virtual runs have in common. */
export interface Comparison {
  /** Of the first folder's trace. */
  readonly traceHash: string
  readonly events: number
  /** Undefined where the traces are the same. */
  readonly difference: TraceDifference | undefined
  /** Checkpoints that both have, and those of them whose weights differ in a bit. */
  readonly models: readonly string[]
  readonly differentModels: readonly string[]
}

/** `E_DATA` where it is no run folder, `E_CONFIG` where its run was not a virtual one. */
export function tracedRun(folder: string): TracedRun {
  const path = join(folder, 'config.json')
  if (!existsSync(path))
    throw new TroupeError('E_DATA', `"${folder}" is no run folder: it has no config.json`, {
      hint: 'Give the folder that "troupe run" wrote',
    })
  const description = parsed(readFileSync(path, 'utf8'), folder)
  if (!isVirtual(description))
    throw new TroupeError('E_CONFIG', `"${folder}" is a run of stage ${description.stage}, which cannot be replayed`, {
      hint: 'Only in virtual time does nothing depend on the machine: use "troupe run --stage virtual"',
    })
  if (!existsSync(join(folder, EVENTS)))
    throw new TroupeError('E_DATA', `"${folder}" has no ${EVENTS}: its trace is not there to be compared`)
  return { folder, description }
}

function parsed(text: string, where: string): RunDescription {
  try {
    const value = JSON.parse(text) as RunDescription
    if (typeof value.scenario === 'string' && typeof value.stage === 'string') return value
  } catch (cause) {
    throw new TroupeError('E_DATA', 'config.json is not JSON', { where, cause })
  }
  throw new TroupeError('E_DATA', 'config.json does not describe a run', { where })
}

/** Whether the run ended because somebody stopped it. */
export function wasStopped(folder: string): boolean {
  const path = join(folder, 'error.json')
  return existsSync(path) && (JSON.parse(readFileSync(path, 'utf8')) as { code?: string }).code === 'E_STOPPED'
}

/** Compares the traces of two run folders, and the weights of the models that both have saved. */
export async function compareRuns(a: string, b: string): Promise<Comparison> {
  const [{ hash, lines }, difference] = await Promise.all([
    digest(join(a, EVENTS)),
    compareTraces(join(a, EVENTS), join(b, EVENTS)),
  ])
  const theirs = weightsIn(b)
  const models = weightsIn(a).filter((name) => theirs.includes(name))
  const differentModels: string[] = []
  for (const name of models) {
    const [one, other] = await Promise.all([a, b].map((folder) => digest(weightsOf(folder, name))))
    if (one!.hash !== other!.hash) differentModels.push(name)
  }
  return { traceHash: hash, events: lines, difference, models, differentModels }
}

const weightsOf = (folder: string, model: string) => join(folder, 'checkpoints', model, 'model.safetensors')

function weightsIn(folder: string): string[] {
  const checkpoints = join(folder, 'checkpoints')
  if (!existsSync(checkpoints)) return []
  return readdirSync(checkpoints)
    .filter((name) => existsSync(weightsOf(folder, name)))
    .sort()
}

const NEWLINE = 10

async function digest(path: string): Promise<{ hash: string; lines: number }> {
  const sha = createHash('sha256')
  let lines = 0
  await pipeline(createReadStream(path), async (chunks: AsyncIterable<Buffer>) => {
    for await (const chunk of chunks) {
      sha.update(chunk)
      for (const byte of chunk) if (byte === NEWLINE) lines++
    }
  })
  return { hash: sha.digest('hex'), lines }
}
