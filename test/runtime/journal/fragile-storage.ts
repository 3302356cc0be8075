import { basename, dirname } from 'node:path'
import type { Storage } from '../../../runtime/journal/storage.js'

export class PowerLoss extends Error {}

type Names = Map<string, Uint8Array>

/**
 * A disk in memory that loses power after a given number of steps: every byte written is a step, and so is every other
 * operation. What a file holds is safe once `write` has resolved; what its folder says only after `sync`.
 */
export class FragileStorage implements Storage {
  /** As this process sees the folder. */
  readonly names: Names
  /** As the disk has it for sure, and what has been asked of it since. */
  #safe: Names
  #asked: ((names: Names) => void)[] = []
  #steps = 0
  /** Bytes that still fit. */
  room = Number.POSITIVE_INFINITY
  readonly folders = new Set<string>()

  constructor(
    readonly powerFor = Number.POSITIVE_INFINITY,
    names: Names = new Map(),
  ) {
    this.names = names
    this.#safe = new Map(names)
  }

  get steps(): number {
    return this.#steps
  }

  /** What is found after power came back. `kept` says of each change to the folder that was not synced whether it was. */
  survivor(kept: (change: number) => boolean): FragileStorage {
    const names = new Map(this.#safe)
    this.#asked.forEach((change, index) => {
      if (kept(index)) change(names)
    })
    return new FragileStorage(Number.POSITIVE_INFINITY, names)
  }

  async makeFolder(path: string): Promise<void> {
    this.folders.add(path)
  }

  async list(): Promise<string[]> {
    return [...this.names.keys()]
  }

  async read(path: string): Promise<Uint8Array> {
    const bytes = this.names.get(basename(path))
    if (!bytes) throw Object.assign(new Error(`no ${path}`), { code: 'ENOENT' })
    return bytes.slice()
  }

  async write(path: string, chunks: readonly Uint8Array[]): Promise<void> {
    const name = basename(path)
    const bytes = Buffer.concat(chunks)
    const left = this.powerFor - this.#steps
    const length = Math.min(bytes.length, left, this.room)
    const part = bytes.slice(0, length)
    this.#change((names) => names.set(name, part))
    this.#steps += length
    if (length === left && length < bytes.length) throw new PowerLoss()
    if (length < bytes.length) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
  }

  async rename(from: string, to: string): Promise<void> {
    this.#step()
    this.#change((names) => {
      const bytes = names.get(basename(from))
      names.delete(basename(from))
      if (bytes) names.set(basename(to), bytes)
    })
  }

  async remove(path: string): Promise<void> {
    this.#step()
    this.#change((names) => names.delete(basename(path)))
  }

  async sync(folder: string): Promise<void> {
    this.#step()
    if (!this.folders.has(folder)) throw new Error(`${dirname(folder)} was never made`)
    this.#safe = new Map(this.names)
    this.#asked = []
  }

  #step(): void {
    if (this.#steps >= this.powerFor) throw new PowerLoss()
    this.#steps++
  }

  #change(change: (names: Names) => void): void {
    change(this.names)
    this.#asked.push(change)
  }
}
