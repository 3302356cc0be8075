import { relative } from 'node:path'
import { TroupeError } from '../runtime/kernel/errors.js'
import type { RunEvent } from '../runtime/observe/events.js'
import type { RunFolder } from '../runtime/observe/run-folder.js'
import { openTelemetry } from '../runtime/observe/telemetry.js'
import type { Backend } from '../runtime/tensor/index.js'
import { realClock } from '../runtime/time/clock.js'
import type { RunOptions, Scenario } from '../scenarios/scenario.js'
import { type Summary, summarySchema } from '../scenarios/summary.js'
import { describeError, EXIT, exitCodeOf } from './exit.js'
import { type Interrupt, listenForInterrupt } from './interrupt.js'
import { openDisplay } from './live/display.js'
import type { RunFacts } from './live/state.js'
import { openRunJournal, type Resumed, type RunJournal } from './run-journal.js'
import { version } from './version.js'

const { now } = realClock

export interface Conducted {
  readonly scenario: Scenario
  readonly config: Record<string, unknown>
  readonly stage: RunOptions<unknown>['stage']
  readonly backend: Backend
  readonly facts: RunFacts
  readonly folder: RunFolder
  /** Whether snapshots are kept. */
  readonly journaled: boolean
  readonly resumed?: Resumed | undefined
  readonly json: boolean
}

/** A run from its open folder to its end: shows it, lets it be stopped, and says what became of it. Resolves to the exit code. */
export async function conduct(run: Conducted): Promise<number> {
  const { scenario, config, stage, backend, facts, folder, resumed, json } = run
  const telemetry = openTelemetry(facts, version())
  const display = await openDisplay({ facts, now, stream: json ? process.stderr : process.stdout })
  const interrupt = listenForInterrupt(
    {
      stopping: () => display.stopping(),
      last: () => {
        folder.fail(new TroupeError('E_STOPPED', 'the run was ended at once'), now())
        display.end()
      },
    },
    now,
  )
  let journal: RunJournal | undefined
  try {
    const observe = (event: RunEvent) => {
      folder.observe(event)
      telemetry.observe(event)
      display.observe(event)
    }
    if (run.journaled) journal = await openRunJournal(folder, resumed?.sequence)
    if (!resumed) await journal?.save(undefined) // so that it can be resumed from the first moment on
    const given = { config, seed: facts.seed, stage, backend, out: folder.path, observe, signal: interrupt.signal }
    const summary = await scenario.run({ ...given, journal, resume: resumed?.run })
    display.end()
    const code = await succeed(summary, folder, run)
    await journal?.finished().catch((error) => console.error(describeError(error))) // the run is done all the same
    telemetry.end(now())
    return code
  } catch (error) {
    const told = toldOf(error, interrupt)
    await journal?.close()
    folder.fail(told, now())
    telemetry.end(now(), told)
    display.end()
    console.error(describeError(told))
    console.error(`What was written until then is in ${relative('', folder.path)}`)
    const code = interrupt.exitCode() ?? exitCodeOf(told)
    if (journal && code !== EXIT.usage) console.error(`Go on with it: troupe resume ${relative('', folder.path)}`)
    return code
  } finally {
    await journal?.close()
    interrupt.dispose()
  }
}

async function succeed(given: Summary, folder: RunFolder, { facts, json }: Conducted): Promise<number> {
  const checked = summarySchema.safeParse(given)
  if (!checked.success) {
    const [issue] = checked.error.issues
    const what = `${issue?.path.join('.') || 'summary'}: ${issue?.message}`
    throw new TroupeError('E_INVARIANT', `the scenario's summary is not of the stable form (${what})`)
  }
  const traceHash = folder.traceHash()
  const summary = traceHash === undefined ? given : { ...given, traceHash }
  folder.finish(summary)
  const { renderReport } = await import('./report/report.js')
  const report = await renderReport(folder.path)
  const { closingWords } = await import('./closing.js')
  const tookMs = now() - facts.startedAt
  const words = closingWords(summary, folder.book, tookMs, relative('', folder.path), relative('', report))
  if (json) process.stdout.write(`${JSON.stringify(summary, null, 2)}\n`)
  ;(json ? process.stderr : process.stdout).write(`${words}\n`)
  return EXIT.done
}

/** The reason of a stop, with what the run raised because of it as the cause where it says more. */
function toldOf(raised: unknown, { signal, exitCode }: Interrupt): unknown {
  const { reason } = signal
  if (exitCode() === undefined || !(reason instanceof TroupeError) || raised === reason) return raised
  if (raised instanceof TroupeError && raised.code === 'E_STOPPED') return reason
  return new TroupeError(reason.code, reason.message, { cause: raised })
}
