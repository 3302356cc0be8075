import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { TroupeError } from '../kernel/errors.js'

const NAME = 'run.lock'

interface Holder {
  readonly pid: number
  readonly host: string
}

/** The folders that this very process writes: its own process id in a lock says nothing about them. */
const held = new Set<string>()

/**
 * Makes this process the only one that writes the folder, until the returned function is called. The lock of a process
 * that is no more is taken over; `E_JOURNAL` names the process that has it.
 */
export function lockRunFolder(folder: string): () => void {
  const path = join(folder, NAME)
  if (held.has(path)) throw busy(folder, path, `this process (${process.pid})`)
  if (!claim(path)) {
    const holder = holderOf(path)
    if (holder && isAlive(holder)) throw busy(folder, path, `process ${holder.pid} on ${holder.host}`)
    takeOver(folder, path)
  }
  held.add(path)
  return () => {
    if (held.delete(path)) rmSync(path, { force: true })
  }
}

/** Only one of several that find the same dead holder may remove its lock: they claim a lock on that first. */
function takeOver(folder: string, path: string): void {
  const change = `${path}.change`
  if (!claim(change)) throw busy(folder, change, 'another process')
  try {
    const holder = holderOf(path)
    if (holder && isAlive(holder)) throw busy(folder, path, `process ${holder.pid} on ${holder.host}`)
    rmSync(path, { force: true })
    if (!claim(path)) throw busy(folder, path, 'another process')
  } finally {
    rmSync(change, { force: true })
  }
}

/** The file appears with its contents or not at all; false where it is there already. */
function claim(path: string): boolean {
  const own = `${path}.${process.pid}`
  writeFileSync(own, JSON.stringify({ pid: process.pid, host: hostname() } satisfies Holder))
  try {
    linkSync(own, path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  } finally {
    rmSync(own, { force: true })
  }
}

/** Undefined where there is no lock any more, or one that power loss has emptied. */
function holderOf(path: string): Holder | undefined {
  try {
    const { pid, host } = JSON.parse(readFileSync(path, 'utf8')) as Partial<Holder>
    return Number.isSafeInteger(pid) && typeof host === 'string' ? { pid: pid!, host } : undefined
  } catch {
    return undefined
  }
}

/** Of another machine nothing can be known: it counts as alive. */
function isAlive({ pid, host }: Holder): boolean {
  if (host !== hostname()) return true
  if (pid === process.pid) return false // left by another that had our number; what we hold ourselves is in `held`
  try {
    process.kill(pid, 0)
    return !isZombie(pid)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** Killed, and not yet fetched by its parent, as in a container whose first process fetches nobody; Linux says so. */
function isZombie(pid: number): boolean {
  try {
    const [state] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!
    return state === 'Z' || state === 'X'
  } catch {
    return false
  }
}

function busy(folder: string, path: string, who: string): TroupeError {
  return new TroupeError('E_JOURNAL', `${who} is writing the run folder "${folder}"`, {
    hint: `Wait for it, or stop it; if it is no run of Troupe, remove ${path}`,
  })
}
