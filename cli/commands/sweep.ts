import { spawn } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { realClock } from '../../runtime/time/clock.js'
import type { Summary } from '../../scenarios/summary.js'
import { type Combination, combinationsOf, folderOf } from '../combinations.js'
import { resolveConfig } from '../config.js'
import { EXIT } from '../exit.js'
import { listenForInterrupt } from '../interrupt.js'
import { duration, figure } from '../live/text.js'
import { defaultFolder, makeFolder } from '../out-folder.js'
import type { SweepArguments } from '../program.js'
import { findScenario } from '../registry.js'
import { renderTable } from '../table.js'

const MAIN = process.argv[1]!
const HASH_SHOWN = 12

/** What a sweep tells of one run; figures are absent where it failed. */
interface Row extends Combination {
  readonly folder: string
  /** Of the run's process; null where a signal ended it. */
  readonly exitCode: number | null
  readonly summary: Summary | undefined
}

/**
 * `troupe sweep`: one run for each combination of values and each seed, every one in a process and a run folder of its own.
 * Resolves to 0 where all went well.
 */
export async function sweep(given: string, options: SweepArguments): Promise<number> {
  const scenario = await findScenario(given)
  const { preset, set, stage, backend, seed, json } = options
  const runs = combinationsOf(options.vary, seed, options.seeds)
  for (const { settings } of runs) resolveConfig(scenario, preset, [...set, ...settings])
  const named =
    options.out ?? defaultFolder(`sweep-${scenario.name}`, preset ?? 'default', seed, new Date(realClock.now()))
  const out = makeFolder(named)
  const interrupt = listenForInterrupt({ stopping: () => {}, last: () => {} }, realClock.now)
  const rows: Row[] = []
  try {
    for (const [index, run] of runs.entries()) {
      if (interrupt.signal.aborted) break
      const folder = join(out, folderOf(run, index, runs.length))
      const settings = [...set, ...run.settings].flatMap((setting) => ['--set', setting])
      const words = ['run', given, ...settings, '--stage', stage, '--backend', backend, '--seed', String(run.seed)]
      const exitCode = await start(
        [...words, '--out', folder, ...(preset ? ['--preset', preset] : [])],
        interrupt.signal,
      )
      const row = { ...run, folder: relative('', folder), exitCode, summary: summaryIn(folder) }
      rows.push(row)
      console.error(`${index + 1}/${runs.length} ${[...run.settings, `seed=${run.seed}`].join(' ')}: ${outcome(row)}`)
    }
  } finally {
    interrupt.dispose()
  }
  writeFileSync(join(out, 'sweep.csv'), csv(rows))
  process.stdout.write(json ? `${JSON.stringify(rows.map(told), null, 2)}\n` : `${table(rows)}\n`)
  console.error(`Run folders and sweep.csv are in ${relative('', out)}`)
  return interrupt.exitCode() ?? (rows.every(({ exitCode }) => exitCode === EXIT.done) ? EXIT.done : EXIT.failed)
}

/** What it prints is in its folder; its errors are shown. */
function start(words: readonly string[], signal: AbortSignal): Promise<number | null> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [MAIN, ...words], { stdio: ['ignore', 'ignore', 'pipe'] })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      for (const line of text.split('\n')) if (line.startsWith('troupe: ')) console.error(line)
    })
    // A terminal has told it already: two signals at once are one to it.
    const stop = () => void child.kill('SIGINT')
    signal.addEventListener('abort', stop, { once: true })
    child.on('error', reject)
    child.on('close', (code) => {
      signal.removeEventListener('abort', stop)
      resolve(code)
    })
  })
}

function summaryIn(folder: string): Summary | undefined {
  const path = join(folder, 'summary.json')
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Summary) : undefined
}

function outcome({ summary, exitCode }: Row): string {
  return summary ? `done in ${duration(summary.durationMs)}` : `failed (${exitCode ?? 'ended by a signal'})`
}

/** The figures that a sweep is made for. */
function told({ settings, seed, folder, exitCode, summary }: Row) {
  const last = summary?.iterations.at(-1)
  return {
    ...Object.fromEntries(settings.map((setting) => [setting.slice(0, setting.indexOf('=')), givenValue(setting)])),
    seed,
    model: last?.name ?? null,
    goldWinRate: last?.goldWinRate?.mean ?? null,
    goldScore: last?.goldScore ?? null,
    lagMean: summary?.staleness.lag.mean ?? null,
    lagMax: summary?.staleness.lag.max ?? null,
    durationMs: summary?.durationMs ?? null,
    traceHash: summary?.traceHash ?? null,
    exitCode,
    folder,
  }
}

const givenValue = (setting: string) => setting.slice(setting.indexOf('=') + 1)

function table(rows: readonly Row[]): string {
  const keys = (rows[0]?.settings ?? []).map((setting) => setting.slice(0, setting.indexOf('=')))
  const heads = [...keys, 'seed', 'win rate', 'score', 'lag', 'most', 'time', 'trace']
  const cell = (value: number | null, show: (value: number) => string) => (value === null ? '-' : show(value))
  return renderTable(
    heads.map((head) => ({ head })),
    rows.map((row) => {
      const { goldWinRate, goldScore, lagMean, lagMax, durationMs, traceHash } = told(row)
      return [
        ...row.settings.map(givenValue),
        String(row.seed),
        cell(goldWinRate, (rate) => `${(100 * rate).toFixed(1)} %`),
        cell(goldScore, (score) => score.toFixed(2)),
        cell(lagMean, figure),
        cell(lagMax, figure),
        cell(durationMs, duration),
        traceHash?.slice(0, HASH_SHOWN) ?? '-',
      ]
    }),
  )
}

function csv(rows: readonly Row[]): string {
  const records = rows.map(told)
  const quoted = (value: unknown) => {
    const text = value === null ? '' : String(value)
    return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
  }
  const heads = Object.keys(records[0] ?? {})
  const lines = [heads, ...records.map((record) => heads.map((head) => (record as Record<string, unknown>)[head]))]
  return lines.map((line) => `${line.map(quoted).join(',')}\n`).join('')
}
