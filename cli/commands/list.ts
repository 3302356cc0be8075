import type { Scenario } from '../../scenarios/scenario.js'
import { EXIT } from '../exit.js'
import { BACKENDS, STAGES } from '../program.js'
import { builtIn, findScenario, parts } from '../registry.js'
import { schemaKeys } from '../schema-keys.js'

/** `troupe list`: what can be run, and of one scenario what can be set. */
export async function list(given: string | undefined, options: { json?: boolean }): Promise<number> {
  const text = given === undefined ? await everything(options) : one(await findScenario(given), options)
  process.stdout.write(`${text}\n`)
  return EXIT.done
}

async function everything({ json }: { json?: boolean }): Promise<string> {
  const scenarios = Object.values(await builtIn())
  const { roles, worlds } = await parts()
  const rows = scenarios.map(({ name, title, presets }) => ({ name, title, presets: Object.keys(presets) }))
  if (json) return JSON.stringify({ scenarios: rows, roles, worlds, stages: STAGES, backends: BACKENDS }, null, 2)
  return [
    'scenarios',
    ...rows.map(({ name, title, presets }) => `  ${name.padEnd(20)} ${title} (presets: ${presets.join(', ')})`),
    'roles',
    ...roles.map(
      ({ role, inputs, outputs }) => `  ${role.padEnd(20)} ${inputs.join(', ') || '–'} → ${outputs.join(', ') || '–'}`,
    ),
    'worlds',
    ...worlds.map(({ name, title }) => `  ${name.padEnd(20)} ${title}`),
    `stages     ${STAGES.join(', ')}`,
    `backends   ${BACKENDS.join(', ')}`,
    'troupe list <scenario> shows what can be set in it.',
  ].join('\n')
}

function one(scenario: Scenario, { json }: { json?: boolean }): string {
  const { name, title, description, presets } = scenario
  const keys = schemaKeys(scenario.config)
  if (json) return JSON.stringify({ name, title, description, presets, keys }, null, 2)
  return [
    `${name}: ${title}`,
    description,
    '',
    'presets',
    ...Object.entries(presets).map(([preset, values]) => `  ${preset.padEnd(10)} ${JSON.stringify(values)}`),
    '',
    'configuration (--set key=value)',
    ...keys.flatMap((key) => [
      `  ${key.key} = ${key.default === undefined ? '(none)' : JSON.stringify(key.default)}    ${key.expects}`,
      ...(key.description ? [`      ${key.description}`] : []),
    ]),
  ].join('\n')
}
