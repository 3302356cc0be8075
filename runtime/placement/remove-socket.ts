import { rmdirSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'

/** Removes a process's socket, and with the last one of a troupe their folder: for when the parent cannot any more. */
export function removeSocket(path: string): void {
  try {
    rmSync(path, { force: true })
    rmdirSync(dirname(path))
  } catch {
    // others are still there
  }
}
