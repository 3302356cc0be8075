import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import * as tf from '@tensorflow/tfjs-core'
import { TroupeError } from '../../kernel/errors.js'

/** An optional package as it was found. */
export interface Located {
  readonly name: string
  readonly version: string
  readonly entry: string
}

/**
 * Where an optional package lies: beside Troupe, else in the `node_modules` of the folder that the environment variable
 * `TROUPE_BACKENDS` names. Undefined where it is not installed.
 */
export function locate(name: string): Located | undefined {
  const folder = process.env.TROUPE_BACKENDS
  const places = [import.meta.url, ...(folder ? [join(resolve(folder), 'package.json')] : [])]
  for (const place of places) {
    const entry = entryOf(name, place)
    if (entry) return { name, entry, version: versionOf(name, entry) }
  }
  return undefined
}

/** The packages of the optional backends: all of `webgpu`'s, one of `tensorflow`'s, the GPU's first. */
const WEBGPU = ['webgpu', '@tensorflow/tfjs-backend-webgpu']
const TENSORFLOW = ['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node']

/** A package of an optional backend, by default the first that is there. Throws `E_BACKEND` with the command to get it. */
export function installed(backend: 'webgpu' | 'tensorflow', name?: string): Located {
  if (backend === 'webgpu') {
    const missing = WEBGPU.filter((wanted) => !locate(wanted))
    const located = locate(name ?? 'webgpu')
    if (located && missing.length === 0) return located
    const are = missing.length > 1 ? 'are' : 'is'
    const hint = `npm install ${missing.join(' ')}`
    throw new TroupeError('E_BACKEND', `${missing.join(' and ')} ${are} not installed`, { hint })
  }
  const located = TENSORFLOW.map(locate).find((found) => found !== undefined)
  if (located) return located
  const wanted = TENSORFLOW[existsSync('/proc/driver/nvidia/version') ? 0 : 1]
  // npm 11 leaves install scripts out; the second half fetches and builds the addon with any npm
  const hint = `npm install ${wanted} && npm explore ${wanted} -- npm run install`
  throw new TroupeError('E_BACKEND', `neither ${TENSORFLOW.join(' nor ')} is installed`, { hint })
}

/** Loads it. Whatever its code throws comes out as an `E_BACKEND` with `hint`. */
export async function load<T>(located: Located, hint: string): Promise<T> {
  try {
    const loaded: unknown = await import(pathToFileURL(located.entry).href)
    return ((loaded as { default?: unknown }).default ?? loaded) as T
  } catch (cause) {
    throw new TroupeError('E_BACKEND', `${located.name} ${located.version} does not load: ${firstLine(cause)}`, {
      cause,
      hint,
    })
  }
}

/** A backend's package may bring a second copy of TF.js, which warns of all that is registered already. */
export async function quietly<T>(work: () => Promise<T>): Promise<T> {
  const before = tf.env().getBool('PROD')
  tf.env().set('PROD', true)
  try {
    return await work()
  } finally {
    tf.env().set('PROD', before)
  }
}

function entryOf(name: string, from: string): string | undefined {
  try {
    return createRequire(from).resolve(name)
  } catch {
    return undefined
  }
}

/** From the package.json nearest above the package's entry: not every package exports its own. */
function versionOf(name: string, entry: string): string {
  const folder = join('node_modules', name, '/')
  const root = entry.slice(0, entry.lastIndexOf(folder) + folder.length)
  try {
    return (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }).version
  } catch {
    return '(version unknown)'
  }
}

export function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0] as string
}
