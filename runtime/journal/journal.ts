import { join } from 'node:path'
import { assert, TroupeError } from '../kernel/errors.js'
import { encodeSnapshot, type RunIdentity } from './snapshot-file.js'
import { diskStorage, type Storage } from './storage.js'

/** The journal of a run that is being written. */
export interface Journal {
  /** True while a snapshot is being written: then no other may be. */
  readonly saving: boolean
  /**
   * Writes a snapshot. State is copied before this returns; the promise resolves once the snapshot is on the disk and the
   * oldest ones are gone. Rejects with `E_JOURNAL` when it cannot be written (a full disk): the snapshots before it
   * stay as they were, and the next save tries again.
   */
  save(state: unknown, marks: Readonly<Record<string, number>>, at: number): Promise<void>
  /**
   * Marks the run as finished: it can no longer be resumed, and its snapshots go. Resolves once that is on the disk;
   * rejects as `save`.
   */
  finished(): Promise<void>
  /** Waits for the snapshot that is being written, whatever becomes of it. Nothing may be saved afterwards. */
  close(): Promise<void>
}

export interface JournalOptions {
  readonly run: RunIdentity
  /** Snapshots that are kept; default 2, so that there is one to fall back to when the disk spoils the newest. */
  readonly keep?: number | undefined
  /** The snapshot that the run goes on from; later ones in the folder are those that could not be used. */
  readonly resumed?: number | undefined
  readonly storage?: Storage | undefined
}

const PART = 'next.part'
export const FINISHED = 'finished'

export const snapshotName = (sequence: number) => `snapshot-${String(sequence).padStart(8, '0')}`

/** The snapshots among the names of a folder, oldest first. */
export function sequencesOf(names: readonly string[]): number[] {
  const numbers = names.flatMap((name) => {
    const number = Number(/^snapshot-(\d{8,15})$/.exec(name)?.[1])
    return snapshotName(number) === name ? [number] : []
  })
  return numbers.sort((a, b) => a - b)
}

/** Begins a journal, or goes on with one that was read. `E_JOURNAL` for a folder that holds another run's. */
export async function openJournal(folder: string, options: JournalOptions): Promise<Journal> {
  const { storage = diskStorage, resumed = 0 } = options
  return guarded(`the journal in "${folder}" cannot be opened`, async () => {
    await storage.makeFolder(folder)
    const names = await storage.list(folder)
    const found = sequencesOf(names)
    if ((found.length > 0 && resumed === 0) || names.includes(FINISHED))
      throw new TroupeError('E_JOURNAL', `"${folder}" holds the journal of another run`, {
        hint: 'Choose another run folder, or resume that run',
      })
    for (const sequence of found) if (sequence > resumed) await storage.remove(join(folder, snapshotName(sequence)))
    await storage.remove(join(folder, PART))
    const kept = found.filter((sequence) => sequence <= resumed)
    return new FolderJournal(folder, storage, options, Math.max(resumed, found.at(-1) ?? 0), kept)
  })
}

class FolderJournal implements Journal {
  readonly #folder: string
  readonly #storage: Storage
  readonly #run: RunIdentity
  readonly #keep: number
  /** Of the snapshots whose names are known to be on the disk, oldest first. */
  readonly #durable: number[]
  /** Of files that may be there and are to go. */
  #stale: number[] = []
  #sequence: number
  #writing: Promise<void> | undefined
  #closed = false

  constructor(folder: string, storage: Storage, options: JournalOptions, last: number, kept: number[]) {
    const { run, keep = 2 } = options
    assert(Number.isSafeInteger(keep) && keep >= 1, 'a journal keeps at least one snapshot')
    this.#folder = folder
    this.#storage = storage
    this.#run = run
    this.#keep = keep
    this.#sequence = last
    this.#durable = kept
  }

  get saving(): boolean {
    return this.#writing !== undefined
  }

  save(state: unknown, marks: Readonly<Record<string, number>>, at: number): Promise<void> {
    return this.#exclusively('a snapshot cannot be written', () => {
      const sequence = ++this.#sequence
      const chunks = encodeSnapshot({ run: this.#run, sequence, at, marks, state })
      return async () => {
        this.#stale.push(sequence) // until its name is known to be on the disk
        await this.#put(snapshotName(sequence), chunks)
        this.#stale = this.#stale.filter((stale) => stale !== sequence)
        this.#durable.push(sequence)
        await this.#prune()
      }
    })
  }

  finished(): Promise<void> {
    return this.#exclusively('the end of the run cannot be written', () => async () => {
      await this.#put(FINISHED, [])
      await this.#prune(0)
    })
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#writing?.catch(() => {})
  }

  /** `prepare` runs at once, what it returns may take its time. */
  #exclusively(failure: string, prepare: () => () => Promise<void>): Promise<void> {
    assert(!this.#writing && !this.#closed, 'an open journal writes one thing at a time')
    let write: () => Promise<void>
    try {
      write = prepare()
    } catch (error) {
      return Promise.reject(error)
    }
    const writing = guarded(failure, write).finally(() => {
      this.#writing = undefined
    })
    this.#writing = writing
    return writing
  }

  /** A file appears whole, under its name, or not at all. */
  async #put(name: string, chunks: readonly Uint8Array[]): Promise<void> {
    const part = join(this.#folder, PART)
    try {
      await this.#storage.write(part, chunks)
      await this.#storage.rename(part, join(this.#folder, name))
    } catch (error) {
      await this.#storage.remove(part).catch(() => {}) // it may be what fills the disk
      throw error
    }
    await this.#storage.sync(this.#folder)
  }

  /** A file that cannot be removed now is tried again after the next snapshot. */
  async #prune(keep = this.#keep): Promise<void> {
    this.#stale.push(...this.#durable.splice(0, Math.max(0, this.#durable.length - keep)))
    const left: number[] = []
    for (const sequence of this.#stale) {
      await this.#storage.remove(join(this.#folder, snapshotName(sequence))).catch(() => left.push(sequence))
    }
    this.#stale = left
  }
}

/** What the file system raises, as a sentence. */
export async function guarded<T>(failure: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    if (cause instanceof TroupeError) throw cause
    const code = (cause as NodeJS.ErrnoException).code
    const hint = code === 'ENOSPC' || code === 'EDQUOT' ? 'Make room on the disk' : undefined
    throw new TroupeError('E_JOURNAL', `${failure} (${code ?? String(cause)})`, { cause, hint })
  }
}
