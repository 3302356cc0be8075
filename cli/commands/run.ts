import { relative, resolve } from 'node:path'
import { TroupeError } from '../../runtime/kernel/errors.js'
import type { RunEvent } from '../../runtime/observe/events.js'
import { openRunFolder, type RunFolder } from '../../runtime/observe/run-folder.js'
import { openTelemetry, type Telemetry } from '../../runtime/observe/telemetry.js'
import { realClock } from '../../runtime/time/clock.js'
import { type Summary, summarySchema } from '../../scenarios/summary.js'
import { chooseBackend } from '../backends.js'
import { resolveConfig } from '../config.js'
import { describeError, EXIT, exitCodeOf } from '../exit.js'
import { type Interrupt, listenForInterrupt } from '../interrupt.js'
import { type Display, openDisplay } from '../live/display.js'
import { defaultFolder, makeFolder } from '../out-folder.js'
import type { RunArguments } from '../program.js'
import { findScenario, isModule } from '../registry.js'
import { version } from '../version.js'

const { now } = realClock

/** `troupe run`: resolves to the exit code; throws only where the run folder has not been begun. */
export async function run(given: string, options: RunArguments): Promise<number> {
  const scenario = await findScenario(given)
  const { preset, config } = resolveConfig(scenario, options.preset, options.set)
  const { backend, why } = await chooseBackend(options.backend, options.stage)
  console.error(`backend ${backend}: ${why}`)
  const startedAt = now()
  const { seed, stage } = options
  const named = options.out ?? defaultFolder(scenario.name, preset, seed, new Date(startedAt))
  const out = makeFolder(named)
  const facts = { scenario: scenario.name, preset, seed, stage, backend, out: named, startedAt }
  const module = isModule(given) ? { module: resolve(given) } : {}
  const folder = openRunFolder(out, { ...facts, ...module, config, troupe: version(), node: process.version })
  const telemetry = openTelemetry(facts, version())
  const display = await openDisplay({ facts, now, stream: options.json ? process.stderr : process.stdout })
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
  try {
    const observe = (event: RunEvent) => {
      folder.observe(event)
      telemetry.observe(event)
      display.observe(event)
    }
    const summary = await scenario.run({ config, seed, stage, backend, out, observe, signal: interrupt.signal })
    const code = await succeed(summary, folder, display, options)
    telemetry.end(now())
    return code
  } catch (error) {
    return fail(error, folder, telemetry, display, interrupt)
  } finally {
    interrupt.dispose()
  }
}

async function succeed(given: Summary, folder: RunFolder, display: Display, options: RunArguments): Promise<number> {
  const checked = summarySchema.safeParse(given)
  if (!checked.success) {
    const [issue] = checked.error.issues
    const what = `${issue?.path.join('.') || 'summary'}: ${issue?.message}`
    throw new TroupeError('E_INVARIANT', `the scenario's summary is not of the stable form (${what})`)
  }
  display.end()
  const traceHash = folder.traceHash()
  const summary = traceHash === undefined ? given : { ...given, traceHash }
  folder.finish(summary)
  const { renderReport } = await import('../report/report.js')
  const report = await renderReport(folder.path)
  const { closingWords } = await import('../closing.js')
  const tookMs = now() - folder.description.startedAt
  const words = closingWords(summary, folder.book, tookMs, relative('', folder.path), relative('', report))
  if (options.json) process.stdout.write(`${JSON.stringify(summary, null, 2)}\n`)
  ;(options.json ? process.stderr : process.stdout).write(`${words}\n`)
  return EXIT.done
}

function fail(error: unknown, folder: RunFolder, telemetry: Telemetry, display: Display, interrupt: Interrupt): number {
  const stopped = interrupt.exitCode()
  const told = stopped === undefined ? error : stoppedBy(interrupt.signal.reason, error)
  folder.fail(told, now())
  telemetry.end(now(), told)
  display.end()
  console.error(describeError(told))
  console.error(`What was written until then is in ${relative('', folder.path)}`)
  return stopped ?? exitCodeOf(told)
}

/** The reason of the stop, with what the run raised because of it as the cause where it says more. */
function stoppedBy(reason: unknown, raised: unknown): unknown {
  if (!(reason instanceof TroupeError) || raised === reason) return raised
  if (raised instanceof TroupeError && raised.code === 'E_STOPPED') return reason
  return new TroupeError(reason.code, reason.message, { cause: raised })
}
