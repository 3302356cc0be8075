import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { TroupeError } from '../runtime/kernel/errors.js'

/** `runs/<scenario>-<preset>-seed<n>-<yyyymmdd-hhmmss>`, in local time; `-2`, `-3`, … where that is taken. */
export function defaultFolder(scenario: string, preset: string, seed: number, now: Date): string {
  const two = (value: number) => String(value).padStart(2, '0')
  const day = `${now.getFullYear()}${two(now.getMonth() + 1)}${two(now.getDate())}`
  const time = `${two(now.getHours())}${two(now.getMinutes())}${two(now.getSeconds())}`
  const path = join('runs', `${basename(scenario)}-${preset}-seed${seed}-${day}-${time}`)
  let free = path
  for (let n = 2; existsSync(free); n++) free = `${path}-${n}`
  return free
}

/** Makes the run folder; `E_CONFIG` where it cannot be made or holds anything already. */
export function makeFolder(path: string): string {
  let entries: string[]
  try {
    makeWithParents(resolve(path))
    entries = readdirSync(path)
  } catch (cause) {
    const why = (cause as NodeJS.ErrnoException).code ?? String(cause)
    throw new TroupeError('E_CONFIG', `cannot make the run folder "${path}" (${why})`, { cause })
  }
  if (entries.length > 0)
    throw new TroupeError('E_CONFIG', `the run folder "${path}" is not empty`, {
      hint: 'Give --out another name, or remove it',
    })
  return resolve(path)
}

/** Not `recursive: true`: where a folder exists but takes no entries (`/proc`), Node 20 then tries for ever. */
function makeWithParents(path: string): void {
  if (existsSync(path)) return
  makeWithParents(dirname(path))
  mkdirSync(path)
}
