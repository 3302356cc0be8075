import type { z } from 'zod'
import { TroupeError } from '../runtime/kernel/errors.js'
import type { Scenario } from '../scenarios/scenario.js'
import { nearest, suggest } from './nearest.js'
import { schemaKeys } from './schema-keys.js'

type Tree = Record<string, unknown>

/**
 * The scenario's configuration: preset, then each `key=value` over it, then the schema's defaults and checks.
 * `E_CONFIG` names the first key that is wrong, what was given and what was expected.
 */
export function resolveConfig(scenario: Scenario, preset: string | undefined, settings: readonly string[]) {
  const names = Object.keys(scenario.presets)
  const name = preset ?? names[0]
  if (name !== undefined && !Object.hasOwn(scenario.presets, name))
    throw new TroupeError('E_CONFIG', `scenario "${scenario.name}" has no preset "${name}"`, {
      hint: suggest(name, names, 'presets'),
    })
  const given = structuredClone(name === undefined ? {} : scenario.presets[name]) as Tree
  for (const setting of settings) applySetting(given, setting, scenario)
  const result = scenario.config.safeParse(given)
  if (!result.success) throw explain(result.error.issues[0]!, given, scenario)
  return { preset: name ?? 'default', config: result.data as Tree }
}

/**
 * Lays `a.b=c` into a configuration; the value is read as JSON where it is JSON, else as text. A text for a group of keys that has
 * a `from` is its `from`: `model=folder`.
 */
function applySetting(config: Tree, setting: string, scenario: Scenario): void {
  const equals = setting.indexOf('=')
  const path = setting.slice(0, Math.max(0, equals)).split('.')
  if (equals < 1 || path.some((part) => part.trim() === ''))
    throw new TroupeError('E_CONFIG', `--set ${JSON.stringify(setting)} is not of the form key=value`, {
      hint: 'Write for example --set staleness.max=0',
    })
  if (path.includes('__proto__')) throw unknownKey(path.join('.'), scenario)
  let place = config
  for (const part of path.slice(0, -1)) {
    if (!isTree(place[part])) place[part] = {}
    place = place[part] as Tree
  }
  const value = parseValue(setting.slice(equals + 1))
  const last = path.at(-1)!
  if (typeof value === 'string' && schemaKeys(scenario.config).some(({ key }) => key === [...path, 'from'].join('.')))
    place[last] = { ...(isTree(place[last]) ? place[last] : {}), from: value }
  else place[last] = value
}

function parseValue(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function unknownKey(key: string, scenario: Scenario): TroupeError {
  const keys = schemaKeys(scenario.config).map((entry) => entry.key)
  const groups = keys.filter((known) => known.includes('.')).map((known) => known.slice(0, known.lastIndexOf('.')))
  const known = [...new Set([...keys, ...groups])]
  return new TroupeError('E_CONFIG', `unknown configuration key "${key}" of scenario "${scenario.name}"`, {
    hint:
      nearest(key, known).length > 0 ? suggest(key, known, 'keys') : `"troupe list ${scenario.name}" shows its keys`,
  })
}

/** Says of zod's issue which key it is about, what was given and what is expected. */
function explain(issue: z.core.$ZodIssue, given: Tree, scenario: Scenario): TroupeError {
  const path = issue.path.map(String)
  if (issue.code === 'unrecognized_keys') return unknownKey([...path, issue.keys[0]!].join('.'), scenario)
  const key = path.join('.') || 'the configuration'
  const value = path.reduce<unknown>(
    (at, part) => (isTree(at) || Array.isArray(at) ? (at as Tree)[part] : undefined),
    given,
  )
  const keys = schemaKeys(scenario.config)
  const entry = keys.find((candidate) => candidate.key === key)
  const inside = keys.filter((candidate) => candidate.key.startsWith(`${key}.`)).map((candidate) => candidate.key)
  const expected = entry?.expects ?? (inside.length > 0 ? `a group of keys (${inside.join(', ')})` : issue.message)
  const was = value === undefined ? 'nothing was given' : `${JSON.stringify(value)} was given`
  return new TroupeError('E_CONFIG', `configuration key "${key}" must be ${expected}, but ${was}`, {
    hint: entry?.description ? `It is: ${entry.description}` : undefined,
  })
}
