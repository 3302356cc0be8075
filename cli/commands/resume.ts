import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { TroupeError } from '../../runtime/kernel/errors.js'
import { resumeBook } from '../../runtime/observe/book.js'
import { type RunDescription, readRunDescription, resumeRunFolder } from '../../runtime/observe/run-folder.js'
import { lockRunFolder } from '../../runtime/observe/run-folder-lock.js'
import { realClock } from '../../runtime/time/clock.js'
import { isJournaled } from '../../scenarios/runtime-config.js'
import { backendOf, checkedConfig, notesOn, scenarioOf } from '../again.js'
import { chooseBackend } from '../backends.js'
import { conduct } from '../conduct.js'
import { type ResumeArguments, STAGES } from '../program.js'
import { readRunJournal } from '../run-journal.js'

/** Checkpoints that were being written when the run was ended have a name with a dot until they are whole. */
function removeUnfinished(checkpoints: string): void {
  if (!existsSync(checkpoints)) return
  for (const name of readdirSync(checkpoints))
    if (name.startsWith('.')) rmSync(join(checkpoints, name), { recursive: true, force: true })
}

/**
 * `troupe resume`: goes on with a run from its last snapshot, and ends as `troupe run` does. `E_JOURNAL` where there is
 * nothing to go on from; the folder is as it was then.
 */
export async function resume(given: string, { json = false }: ResumeArguments): Promise<number> {
  const path = resolve(given)
  const description = readRunDescription(path)
  const stage = stageOf(description)
  const scenario = await scenarioOf(description)
  const config = checkedConfig(scenario, description.config, given)
  checkJournaled(config, stage, path)
  const lock = lockRunFolder(path)
  const { folder, resumed, backend } = await begun().catch((error: unknown) => {
    lock()
    throw error
  })
  const { preset = 'none', seed } = description
  const facts = { scenario: scenario.name, preset, seed, stage, backend, out: given, startedAt: realClock.now() }
  return conduct({ scenario, config, stage, backend, facts, folder, journaled: true, resumed, json })

  async function begun() {
    const resumed = await readRunJournal(path, description)
    const { backend, why } = await chooseBackend(backendOf(description, given), { ...scenario, stage, config })
    console.error(`backend ${backend}: ${why}`)
    for (const note of notesOn(description)) console.error(note)
    for (const damage of resumed.damaged) console.error(`note: ${damage}; what it held is done again`)
    const folder = resumeRunFolder(path, resumed.marks, { book: resumeBook(resumed.book), lock })
    removeUnfinished(join(path, 'checkpoints'))
    return { folder, resumed, backend }
  }
}

function checkJournaled(config: Record<string, unknown>, stage: string, path: string): void {
  if (isJournaled(config, stage)) return
  const key = stage === 'virtual' ? 'journal.everyVirtualMs' : 'journal.everyMs'
  throw new TroupeError('E_JOURNAL', 'the run kept no journal', {
    where: path,
    hint: `${key} says how often snapshots are taken; 0, or a scenario without it, is never`,
  })
}

function stageOf({ stage }: RunDescription): (typeof STAGES)[number] {
  const known = STAGES.find((each) => each === stage)
  if (known) return known
  throw new TroupeError('E_JOURNAL', `the run is of stage "${stage}", which this Troupe does not have`)
}
