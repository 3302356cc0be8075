import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises'

/** What the journal needs of a file system; passed in, so that a test can lose power at any byte. */
export interface Storage {
  makeFolder(path: string): Promise<void>
  /** The names in a folder; none where there is no such folder. */
  list(folder: string): Promise<string[]>
  read(path: string): Promise<Uint8Array>
  /** Makes the file anew; resolves once its bytes are on the disk. Its name may still be lost: see `sync`. */
  write(path: string, chunks: readonly Uint8Array[]): Promise<void>
  /** Atomic: a reader finds the old name or the new one. */
  rename(from: string, to: string): Promise<void>
  /** Harmless where there is no such file. */
  remove(path: string): Promise<void>
  /** Resolves once what was made, renamed or removed in the folder is on the disk. */
  sync(folder: string): Promise<void>
}

/** The machine's own disk. */
export const diskStorage: Storage = {
  async makeFolder(path) {
    await mkdir(path, { recursive: true })
  },
  async list(folder) {
    try {
      return await readdir(folder)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
      throw error
    }
  },
  read: (path) => readFile(path),
  async write(path, chunks) {
    const file = await open(path, 'w')
    try {
      for (const chunk of chunks) await file.writeFile(chunk)
      await file.sync()
    } finally {
      await file.close()
    }
  },
  rename,
  remove: (path) => rm(path, { force: true }),
  async sync(folder) {
    if (process.platform === 'win32') return // Windows cannot open a folder; NTFS keeps the order of renames itself
    const handle = await open(folder, 'r')
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  },
}
