import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { reportPage } from './page.js'
import { readRun } from './read.js'

/** Writes `report.html` into a run folder, over an older one, and resolves to its path. `E_DATA` where it is no run folder. */
export async function renderReport(folder: string): Promise<string> {
  const path = join(folder, 'report.html')
  const page = reportPage(await readRun(folder))
  writeFileSync(`${path}.part`, page)
  renameSync(`${path}.part`, path)
  return path
}
