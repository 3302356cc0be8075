import { relative } from 'node:path'
import { EXIT } from '../exit.js'
import { renderReport } from '../report/report.js'

/** `troupe report`: writes each folder's report.html anew and says where it is. */
export async function report(runs: readonly string[]): Promise<number> {
  for (const folder of runs) process.stdout.write(`${relative('', await renderReport(folder))}\n`)
  return EXIT.done
}
