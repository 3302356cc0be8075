import { resolve } from 'node:path'
import { openRunFolder } from '../../runtime/observe/run-folder.js'
import { realClock } from '../../runtime/time/clock.js'
import { isJournaled } from '../../scenarios/runtime-config.js'
import { chooseBackend } from '../backends.js'
import { conduct } from '../conduct.js'
import { resolveConfig } from '../config.js'
import { defaultFolder, makeFolder } from '../out-folder.js'
import type { RunArguments } from '../program.js'
import { findScenario, isModule } from '../registry.js'
import { version } from '../version.js'

/** `troupe run`: resolves to the exit code; throws only where the run folder has not been begun. */
export async function run(given: string, options: RunArguments): Promise<number> {
  const scenario = await findScenario(given)
  const { preset, config } = resolveConfig(scenario, options.preset, options.set)
  const { backend, why } = await chooseBackend(options.backend, { ...scenario, stage: options.stage, config })
  console.error(`backend ${backend}: ${why}`)
  const startedAt = realClock.now()
  const { seed, stage, json = false } = options
  const named = options.out ?? defaultFolder(scenario.name, preset, seed, new Date(startedAt))
  const out = makeFolder(named)
  const facts = { scenario: scenario.name, preset, seed, stage, backend, out: named, startedAt }
  const module = isModule(given) ? { module: resolve(given) } : {}
  const folder = openRunFolder(out, { ...facts, ...module, config, troupe: version(), node: process.version })
  return conduct({ scenario, config, stage, backend, facts, folder, journaled: isJournaled(config, stage), json })
}
