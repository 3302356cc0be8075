import { join } from 'node:path'
import { TroupeError } from '../kernel/errors.js'
import { FINISHED, guarded, sequencesOf, snapshotName } from './journal.js'
import { decodeSnapshot, type RunIdentity, type Snapshot, Unusable } from './snapshot-file.js'
import { diskStorage, type Storage } from './storage.js'

export interface ReadSnapshot extends Snapshot {
  /** Newer snapshots that could not be used, each with the reason: what they held will be done again. */
  readonly damaged: readonly string[]
}

export interface ReadOptions {
  /** What the journal must be of; keys that are left out are not looked at. */
  readonly run?: RunIdentity | undefined
  readonly storage?: Storage | undefined
}

/**
 * The newest snapshot of a journal that verifies. `E_JOURNAL` where there is none, or none that can be used; where it is
 * of another run, of a newer Troupe, or of a run that has finished.
 */
export async function readJournal(folder: string, options: ReadOptions = {}): Promise<ReadSnapshot> {
  const { storage = diskStorage, run = {} } = options
  return guarded(`the journal in "${folder}" cannot be read`, async () => {
    const names = await storage.list(folder)
    if (names.includes(FINISHED))
      throw new TroupeError('E_JOURNAL', 'the run has finished: there is nothing to resume', { where: folder })
    const found = sequencesOf(names).reverse()
    const damaged: string[] = []
    for (const sequence of found) {
      const name = snapshotName(sequence)
      try {
        const snapshot = decodeSnapshot(await storage.read(join(folder, name)))
        if (snapshot.sequence !== sequence) throw new Unusable(`holds snapshot ${snapshot.sequence}`)
        checkRun(snapshot.run, run, folder)
        return { ...snapshot, damaged }
      } catch (error) {
        if (error instanceof TroupeError) throw error
        damaged.push(`${name} ${error instanceof Unusable ? error.message : `cannot be read (${String(error)})`}`)
      }
    }
    throw unusable(folder, damaged)
  })
}

function checkRun(found: RunIdentity, wanted: RunIdentity, folder: string): void {
  for (const [key, value] of Object.entries(wanted))
    if (found[key] !== value)
      throw new TroupeError('E_JOURNAL', `the journal is of ${key} "${found[key]}", not "${value}"`, {
        where: folder,
        hint: 'Resume the folder that belongs to this run',
      })
}

function unusable(folder: string, damaged: readonly string[]): TroupeError {
  if (damaged.length === 0)
    return new TroupeError('E_JOURNAL', 'there is no snapshot to resume from', {
      where: folder,
      hint: 'The run ended before its first snapshot, or this is not the folder of a run: start it again',
    })
  return new TroupeError('E_JOURNAL', `no snapshot can be used: ${damaged.join(', ')}`, {
    where: folder,
    hint: 'The run cannot be resumed; what it wrote is still in its folder',
  })
}
