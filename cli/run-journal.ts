import { join } from 'node:path'
import { openJournal, readJournal } from '../runtime/journal/index.js'
import { TroupeError } from '../runtime/kernel/errors.js'
import { type BookState, bookState } from '../runtime/observe/book.js'
import type { RunDescription, RunFolder } from '../runtime/observe/run-folder.js'
import { realClock } from '../runtime/time/clock.js'
import type { RunState } from '../scenarios/scenario.js'

/** Counts up when what a snapshot holds changes its form. */
const FORMAT = 1

interface Kept {
  readonly format: number
  /** Undefined: the run has not put anything away yet, and begins anew. */
  readonly run: RunState | undefined
  readonly book: BookState
}

/** Where a run that was ended goes on. */
export interface Resumed extends Kept {
  readonly sequence: number
  readonly marks: Readonly<Record<string, number>>
  /** Snapshots that could not be used, each with the reason. */
  readonly damaged: readonly string[]
}

/** The journal in a run folder. */
export interface RunJournal {
  save(run: RunState | undefined): Promise<void>
  finished(): Promise<void>
  close(): Promise<void>
}

const folderOf = (run: string) => join(run, 'journal')
const identityOf = ({ scenario, seed, stage, backend }: RunDescription) => ({ scenario, seed, stage, backend })

/** Keeps snapshots of what the run hands over, with the length of every file of its folder at that moment. */
export async function openRunJournal(folder: RunFolder, resumed?: number): Promise<RunJournal> {
  const journal = await openJournal(folderOf(folder.path), { run: identityOf(folder.description), resumed })
  return {
    save(run) {
      const kept: Kept = { format: FORMAT, run, book: bookState(folder.book) }
      return journal.save(kept, folder.marks(), realClock.now())
    },
    finished: () => journal.finished(),
    close: () => journal.close(),
  }
}

/** Where the run in a folder goes on; `E_JOURNAL` says why it cannot. */
export async function readRunJournal(path: string, description: RunDescription): Promise<Resumed> {
  const { state, ...snapshot } = await readJournal(folderOf(path), { run: identityOf(description) })
  const { format } = (state ?? {}) as Partial<Kept>
  if (format !== FORMAT)
    throw new TroupeError('E_JOURNAL', `its snapshots have form ${format}, and this Troupe reads form ${FORMAT}`, {
      where: path,
      hint: `Resume it with the Troupe that began it${description.troupe ? `, ${description.troupe}` : ''}`,
    })
  return { ...snapshot, ...(state as Kept) }
}
