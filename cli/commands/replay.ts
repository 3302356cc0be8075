import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { TroupeError } from '../../runtime/kernel/errors.js'
import { describeDifference } from '../../runtime/observe/compare-traces.js'
import type { RunEvent } from '../../runtime/observe/events.js'
import { openRunFolder, type RunFolder } from '../../runtime/observe/run-folder.js'
import { realClock } from '../../runtime/time/clock.js'
import { backendOf, checkedConfig, notesOn, scenarioOf } from '../again.js'
import { chooseBackend } from '../backends.js'
import { describeError, EXIT } from '../exit.js'
import { listenForInterrupt } from '../interrupt.js'
import { type Display, openDisplay } from '../live/display.js'
import { makeFolder } from '../out-folder.js'
import type { ReplayArguments } from '../program.js'
import { type Comparison, compareRuns, type TracedRun, tracedRun, wasStopped } from '../replaying.js'
import { version } from '../version.js'

const { now } = realClock

/**
 * `troupe replay`: runs a virtual run's configuration again and compares the two traces, or compares those of two folders.
 * Resolves to 0 where they are the same, to 1 where they part.
 */
export async function replay(given: string, other: string | undefined, options: ReplayArguments): Promise<number> {
  const first = tracedRun(given)
  if (other !== undefined) {
    if (options.out !== undefined)
      throw new TroupeError('E_CONFIG', '--out is for a run that is run again, and two runs are only compared')
    return tell(first, tracedRun(other), await compareRuns(given, other), options)
  }
  const kept = options.out === undefined ? undefined : makeFolder(options.out)
  const folder = kept ?? mkdtempSync(join(tmpdir(), 'troupe-replay-'))
  try {
    const stopped = await runAgain(first, folder)
    if (stopped !== undefined) return stopped
    return tell(first, { ...tracedRun(folder), folder: 'the replay' }, await compareRuns(given, folder), options)
  } finally {
    if (!kept) rmSync(folder, { recursive: true, force: true })
  }
}

/** Resolves to an exit code where it was stopped; a run that failed has a trace as well. */
async function runAgain(first: TracedRun, out: string): Promise<number | undefined> {
  const { folder: original, description } = first
  const { seed, stage } = description
  const scenario = await scenarioOf(description)
  const config = checkedConfig(scenario, description.config, original)
  const { backend } = await chooseBackend(backendOf(description, original), { stage: 'virtual' })
  for (const note of notesOn(description)) console.error(note)
  if (wasStopped(original)) console.error('note: it was stopped before it finished, and the traces part where it was')
  const startedAt = now()
  const run = { scenario: scenario.name, preset: description.preset ?? 'none', seed, stage, backend, startedAt }
  const again = { ...description, ...run, troupe: version(), node: process.version, replayOf: original }
  const folder = openRunFolder(out, again)
  const display = await openDisplay({ facts: { ...run, out }, now, stream: process.stderr })
  const interrupt = listenForInterrupt(
    { stopping: () => display.stopping(), last: () => end(folder, display, stoppedAtOnce()) },
    now,
  )
  try {
    const observe = (event: RunEvent) => {
      folder.observe(event)
      display.observe(event)
    }
    const summary = await scenario.run({
      ...{ config, seed, stage: 'virtual', backend, out, observe },
      signal: interrupt.signal,
    })
    const traceHash = folder.traceHash()
    display.end()
    folder.finish({ ...summary, traceHash })
    return undefined
  } catch (error) {
    end(folder, display, error)
    console.error(describeError(error))
    return interrupt.exitCode()
  } finally {
    interrupt.dispose()
  }
}

const stoppedAtOnce = () => new TroupeError('E_STOPPED', 'the replay was ended at once')

function end(folder: RunFolder, display: Display, error: unknown): void {
  folder.fail(error, now())
  display.end()
}

function tell(a: TracedRun, b: TracedRun, comparison: Comparison, { json }: ReplayArguments): number {
  const { difference, differentModels, models, traceHash, events } = comparison
  const same = difference === undefined && differentModels.length === 0
  if (json) process.stdout.write(`${JSON.stringify({ same, ...comparison }, null, 2)}\n`)
  else process.stdout.write(`${lines().join('\n')}\n`)
  return same ? EXIT.done : EXIT.failed

  function lines(): string[] {
    if (difference) return describeDifference(difference, [a.folder, b.folder])
    const weights =
      models.length === 0
        ? []
        : differentModels.length > 0
          ? [`but other weights of ${differentModels.join(', ')}`]
          : [`the same weights of ${models.join(', ')}, to the bit`]
    return [`the same trace: ${traceHash}, ${events} events`, ...weights]
  }
}
