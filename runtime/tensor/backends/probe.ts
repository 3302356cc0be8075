import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { TroupeError } from '../../kernel/errors.js'
import type { Backend } from '../compile.js'
import { installed } from './packages.js'

/** Whether a backend can be used on this machine, as plain data. */
export interface BackendProbe {
  readonly name: Backend
  readonly usable: boolean
  /** Computes on a graphics processor: a real one, not a program that stands in for it. */
  readonly isGpu: boolean
  /** Package, version and device where it loads, else what is missing. */
  readonly detail: string
  /** The one command that would add what is missing; undefined where there is nothing to do, or no command for it. */
  readonly remedy?: string | undefined
  /** What `VK_DRIVER_FILES` has to name for it. */
  readonly driver?: string | undefined
}

const probeFile = fileURLToPath(new URL('./probe-child.js', import.meta.url))
const DEADLINE_MS = 60_000

/**
 * Loads the backend in a process of its own and multiplies with it: native libraries that crash, claim a GPU's memory or
 * write to the terminal do so there.
 */
export function probeBackend(name: Backend): Promise<BackendProbe> {
  const absent = absence(name)
  if (absent) {
    const { message, hint } = absent
    return Promise.resolve({ name, usable: false, isGpu: false, detail: message, remedy: hint })
  }
  return new Promise((resolve) => {
    execFile(process.execPath, [probeFile, name], { timeout: DEADLINE_MS }, (error, stdout) => {
      const line = stdout.trim().split('\n').at(-1) ?? ''
      const said = error ? undefined : parsed(line)
      const ended = error?.signal ? `by ${error.signal}` : `with code ${error?.code}`
      resolve(said ?? { name, usable: false, isGpu: false, detail: `loading it ended the process ${ended}` })
    })
  })
}

/** An answer that needs no process. */
function absence(name: Backend): TroupeError | undefined {
  try {
    if (name === 'webgpu' || name === 'tensorflow') installed(name)
    return undefined
  } catch (error) {
    return error as TroupeError
  }
}

function parsed(line: string): BackendProbe | undefined {
  try {
    return JSON.parse(line) as BackendProbe
  } catch {
    return undefined
  }
}
