import { existsSync, readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { TroupeError } from '../../runtime/kernel/errors.js'
import type { RunStatus } from '../../runtime/observe/status.js'

/** Longer than this without a new status, and the process is looked for. */
const SILENT_MS = 5000

/** The status of a run folder. `E_DATA` where it is none, or was written by a Troupe that wrote no status. */
export function readStatus(folder: string): RunStatus {
  const path = join(folder, 'status.json')
  if (!existsSync(path)) {
    const run = existsSync(join(folder, 'config.json'))
    throw new TroupeError(
      'E_DATA',
      `"${folder}" is no run ${run ? 'that can be watched' : 'folder'}: it has no status.json`,
      {
        hint: run ? 'An older Troupe wrote it: use "troupe report"' : 'Give the folder that "troupe run" writes',
      },
    )
  }
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as RunStatus
  } catch (cause) {
    throw new TroupeError('E_DATA', 'status.json is not JSON', { where: folder, cause })
  }
}

/** How a run is, seen from outside: `silent` where it says nothing but its process is there, or cannot be looked for. */
export type Life = 'running' | 'silent' | 'done' | 'failed' | 'dead'

export function lifeOf(status: RunStatus, now: number, isAlive: (status: RunStatus) => boolean = processIsThere): Life {
  if (status.ended) return status.ended.how
  if (now - status.at <= SILENT_MS) return 'running'
  return isAlive(status) ? 'silent' : 'dead'
}

/** Of another machine's processes nothing can be known: they count as there. */
function processIsThere({ pid, host }: RunStatus): boolean {
  if (host !== hostname()) return true
  try {
    process.kill(pid, 0) // signal 0 only asks
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
