import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { RunEvent } from '../../runtime/observe/events.js'
import { scenarios } from '../index.js'
import type { Scenario } from '../scenario.js'
import type { Summary } from '../summary.js'
import type { Trial } from './claim.js'

/** Part of a scenario's configuration, as a tree. */
export type Settings = { readonly [key: string]: unknown }

/** What a run of a scenario came to. */
export interface ArmResult {
  readonly summary: Summary
  /** Every metric's values, in their order, replicas and actors mixed. */
  readonly metrics: Readonly<Record<string, readonly number[]>>
  /** Names of the actors that took part, without replicas. */
  readonly actors: readonly string[]
}

/**
 * Runs a scenario with its defaults and these settings, in worker threads. What has run once at this commit is not run again,
 * whichever claim asks for it: claims share their arms through the folder `trial.out`.
 */
export function runArm(trial: Trial, name: string, settings: Settings): Promise<ArmResult> {
  return runOnce(trial, name, settings, { keepsModels: false })
}

async function runOnce(
  trial: Trial,
  name: string,
  settings: Settings,
  { keepsModels }: { readonly keepsModels: boolean },
): Promise<ArmResult> {
  const folder = folderOf(trial, name, settings)
  const kept = join(folder, 'result.json')
  if (existsSync(kept)) return JSON.parse(readFileSync(kept, 'utf8')) as ArmResult
  const result = await inFolder(folder, async (out) => {
    const found = await run(trial, name, settings, out)
    if (!keepsModels) rmSync(join(out, 'checkpoints'), { recursive: true, force: true })
    return found
  })
  trial.log(`${name} ${labelOf(settings)}: ${trace(result.summary)}`)
  return result
}

/**
 * Settings under which a scenario starts from M1 of this seed, supervised once for all arms: all of them begin with the same
 * weights.
 */
export async function fromM1(trial: Trial, training: Settings = {}): Promise<Settings> {
  const settings = laid({ demonstrations: { ift: DEMONSTRATIONS[trial.scale] }, ...NO_TRAINING }, training)
  await runOnce(trial, 'dpo', settings, { keepsModels: true })
  const folder = join(folderOf(trial, 'dpo', settings), 'checkpoints', 'M1')
  return { start: folder, demonstrations: { ift: 0 } }
}

/** Of people, for M1; three times as many rounds begin from the same M1. */
const DEMONSTRATIONS = { tiny: 256, quick: 24_000, full: 24_000 } as const

/** What makes a run of the least size beside that. */
const TINY = {
  rewardModel: { prompts: 32 },
  evaluation: { prompts: 4, samples: 2 },
} as const

/** The least that a scenario can do after its supervised part. */
const NO_TRAINING = {
  ...{ iterations: [2], promptsPerUpdate: 2, batchSize: 2 },
  evaluation: { prompts: 2, samples: 1 },
} as const

/** One tree of settings over another, key by key; lists and all else are replaced. */
export function laid(under: Settings, over: Settings): Settings {
  const isTree = (value: unknown): value is Settings =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
  const merged: Record<string, unknown> = { ...under }
  for (const [key, value] of Object.entries(over)) {
    const below = merged[key]
    merged[key] = isTree(below) && isTree(value) ? laid(below, value) : value
  }
  return merged
}

function folderOf({ out, seed, backend, commit }: Trial, name: string, settings: Settings): string {
  const key = JSON.stringify([name, settings, seed, backend, commit])
  return join(resolve(out), `${name}-${seed}-${createHash('sha1').update(key).digest('hex').slice(0, 12)}`)
}

/** Made elsewhere and moved, so that what was interrupted is not taken for a result. */
async function inFolder(folder: string, work: (out: string) => Promise<ArmResult>): Promise<ArmResult> {
  mkdirSync(join(folder, '..'), { recursive: true })
  const out = mkdtempSync(`${folder}.`)
  try {
    const result = await work(out)
    writeFileSync(join(out, 'result.json'), JSON.stringify(result))
    rmSync(folder, { recursive: true, force: true })
    renameSync(out, folder)
    return result
  } finally {
    rmSync(out, { recursive: true, force: true })
  }
}

async function run(trial: Trial, name: string, settings: Settings, out: string): Promise<ArmResult> {
  const scenario = scenarios[name] as Scenario
  const small = trial.scale === 'tiny' && 'rewardModel' in scenario.config.shape ? TINY : {}
  const config = scenario.config.parse(laid(laid(small, settings), { journal: { everyMs: 0 } }))
  const metrics: Record<string, number[]> = {}
  const actors = new Set<string>()
  const observe = (event: RunEvent) => {
    if (event.type === 'span') actors.add(event.actor.name.replace(/\/\d+$/, ''))
    if (event.type !== 'metric') return
    metrics[event.name] ??= []
    metrics[event.name]?.push(event.value)
  }
  const { seed, backend, signal } = trial
  const summary = await scenario.run({ config, seed, stage: 'threads', backend, out, observe, signal })
  return { summary, metrics, actors: [...actors].sort() }
}

const labelOf = (settings: Settings): string => {
  const { start: _, demonstrations: __, ...own } = settings
  return JSON.stringify(own).replaceAll('"', '')
}

const trace = ({ iterations, durationMs }: Summary): string => {
  const gold = iterations.map(({ goldScore }) => (goldScore ?? Number.NaN).toFixed(2)).join(' → ')
  return `gold ${gold} in ${(durationMs / 1000).toFixed(0)} s`
}
