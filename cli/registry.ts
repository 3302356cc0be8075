import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { TroupeError } from '../runtime/kernel/errors.js'
import type { Scenario } from '../scenarios/scenario.js'
import { suggest } from './nearest.js'

/** Every built-in scenario by name. */
export async function builtIn(): Promise<Readonly<Record<string, Scenario>>> {
  return (await import('../scenarios/index.js')).scenarios as Readonly<Record<string, Scenario>>
}

/** What scenarios are made of: the roles with their ports, and the built-in worlds. */
export async function parts() {
  const [actors, { worlds }] = await Promise.all([import('../actors/index.js'), import('../scenarios/index.js')])
  const roles = Object.values(actors).map(({ role, inputs, outputs }) => ({
    role,
    inputs: Object.keys(inputs),
    outputs: Object.keys(outputs),
  }))
  return { roles, worlds: Object.entries(worlds).map(([name, { title }]) => ({ name, title })) }
}

/** Whether a scenario was given as the path of a module. */
export const isModule = (given: string): boolean => /[\\/]|\.[cm]?js$/.test(given)

/** A built-in scenario by name, or one of your own by the path of the ES module that exports it. */
export async function findScenario(given: string): Promise<Scenario> {
  if (isModule(given)) return loadScenario(given)
  const scenarios = await builtIn()
  if (Object.hasOwn(scenarios, given)) return scenarios[given]!
  throw new TroupeError('E_CONFIG', `unknown scenario "${given}"`, {
    hint: `${suggest(given, Object.keys(scenarios), 'scenarios')} (a scenario of your own is given as the path of its module)`,
  })
}

async function loadScenario(path: string): Promise<Scenario> {
  const url = pathToFileURL(resolve(path)).href
  const module = await import(url).catch((cause: unknown) => {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new TroupeError('E_CONFIG', `cannot load a scenario from "${path}": ${why}`, { cause })
  })
  const found = Object.values(module as Record<string, unknown>).find(isScenario)
  if (!found)
    throw new TroupeError('E_CONFIG', `"${path}" exports no scenario`, {
      hint: 'Export an object with name, config, presets and run (see scenarios/scenario.ts)',
    })
  return found
}

function isScenario(value: unknown): value is Scenario {
  if (typeof value !== 'object' || value === null) return false
  const { name, config, presets, run } = value as Partial<Scenario>
  return typeof name === 'string' && typeof run === 'function' && config !== undefined && presets !== undefined
}
