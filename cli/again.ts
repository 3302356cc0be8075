import { TroupeError } from '../runtime/kernel/errors.js'
import type { RunDescription } from '../runtime/observe/run-folder.js'
import { type Backend, backends } from '../runtime/tensor/index.js'
import type { Scenario } from '../scenarios/scenario.js'
import { findScenario } from './registry.js'
import { version } from './version.js'

/** The scenario of a run that is run again, or gone on with. */
export const scenarioOf = (description: RunDescription): Promise<Scenario> =>
  findScenario(String(description.module ?? description.scenario))

export function checkedConfig(scenario: Scenario, config: unknown, folder: string): Record<string, unknown> {
  const result = scenario.config.safeParse(config)
  if (result.success) return result.data
  const [issue] = result.error.issues
  throw new TroupeError(
    'E_CONFIG',
    `the configuration in "${folder}" is none of this Troupe's: "${issue?.path.join('.')}": ${issue?.message}`,
    { hint: 'Replay it with the version that config.json names' },
  )
}

export function backendOf({ backend }: RunDescription, folder: string): Backend {
  const known = backends.find((name) => name === backend)
  if (known) return known
  throw new TroupeError('E_CONFIG', `"${folder}" was computed by "${backend}", which is no backend of this Troupe`)
}

/** What is not as it was, so that a difference may come from it. */
export function notesOn({ troupe, node }: RunDescription): string[] {
  const changed = (what: string, then: unknown, today: string) =>
    then === undefined || then === today ? [] : [`note: it ran with ${what} ${String(then)}, and this is ${today}`]
  return [...changed('Troupe', troupe, version()), ...changed('Node', node, process.version)]
}
