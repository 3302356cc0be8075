import { once } from 'node:events'
import { createRequire } from 'node:module'
import type { Transferable, Worker } from 'node:worker_threads'
import type { Piscina } from 'piscina'
import { TroupeError } from '../kernel/errors.js'
import { createNativeGuard, doomThread, nativeRuns } from '../tensor/native-guard.js'
import type { Clock } from '../time/clock.js'

const require = createRequire(import.meta.url)

/** A task in a thread of its own. */
export interface PooledTask {
  /** Settles when the task does; rejects with `E_HOST_DIED` when its thread has ended, and never after `kill`. */
  readonly ended: Promise<void>
  /**
   * Ends the thread, wherever it is; in native code it is waited for. Rejects with `E_DEADLINE` when it has not left
   * native code in time: it begins no other native run then, and is ended as soon as it leaves this one.
   */
  kill(deadlineMs: number): Promise<void>
}

interface Living {
  readonly name: string
  readonly guard: SharedArrayBuffer
  readonly abort: AbortController
}

/** Threads that host actors, from one Piscina pool. A thread is never ended in the middle of a native run. */
export class ThreadPool {
  readonly #clock: Clock
  readonly #pool: Piscina
  readonly #living = new Set<Living>()

  constructor(filename: string, options: { clock: Clock; threads: number }) {
    this.#clock = options.clock
    // Loaded only where threads are started: every thread loads this file too, with the roles that it imports.
    const { Piscina: Pool } = require('piscina') as typeof import('piscina')
    this.#pool = new Pool({
      filename,
      minThreads: options.threads,
      maxThreads: options.threads,
      concurrentTasksPerWorker: 1,
      idleTimeout: Number.POSITIVE_INFINITY,
      // With Piscina's default, a worker's ports freeze as soon as a task of it returns.
      atomics: 'disabled',
    })
    // After a worker's death Piscina may report a stray message; what matters arrives by the task's own promise.
    this.#pool.on('error', () => {})
  }

  /** Runs a task; it is given the word in which it must count its native runs. */
  run(name: string, task: (guard: SharedArrayBuffer) => { task: unknown; transfer: Transferable[] }): PooledTask {
    const living: Living = { name, guard: createNativeGuard(), abort: new AbortController() }
    this.#living.add(living)
    const { task: given, transfer } = task(living.guard)
    const run: Promise<void> = this.#pool.run(given, {
      transferList: transfer as never,
      signal: living.abort.signal,
    })
    const { abort } = living
    const ended = new Promise<void>((resolve, reject) => {
      const done = () => {
        if (nativeRuns(living.guard) === 0) this.#living.delete(living)
        resolve()
      }
      run.then(done, (error: Error) => {
        this.#living.delete(living)
        if (!abort.signal.aborted) reject(threadDied(name, error))
      })
    })
    return { ended, kill: (deadlineMs) => this.#kill(living, deadlineMs) }
  }

  /** Ends all threads; `E_DEADLINE` names those that have not left native code in time. */
  async close(deadlineMs: number): Promise<void> {
    const doomed = await Promise.all(
      [...this.#living].map(async (living) => ({
        living,
        free: await this.#doom(living, deadlineMs),
      })),
    )
    const stuck = doomed.filter(({ free }) => !free).map(({ living }) => living)
    if (stuck.length === 0) {
      await this.#clock.deadline(this.#pool.destroy(), deadlineMs, 'ending the threads')
      return
    }
    void this.#whenFree(stuck, () => this.#pool.destroy())
    throw stuckInNative(stuck.map(({ name }) => name).join(', '), deadlineMs)
  }

  async #kill(living: Living, deadlineMs: number): Promise<void> {
    const end = this.#clock.now() + deadlineMs
    if (!this.#living.has(living)) return
    if (!(await this.#doom(living, deadlineMs))) {
      void this.#whenFree([living], () => this.#terminate(living))
      // the thread that cannot be ended yet must not keep the next one from starting
      this.#pool.options.maxThreads++
      throw stuckInNative(living.name, deadlineMs)
    }
    const worker = this.#terminate(living)
    if (!worker) return
    const leftMs = Math.max(1, end - this.#clock.now())
    await this.#clock.deadline(once(worker, 'exit'), leftMs, `ending the thread of ${living.name}`)
  }

  /** Whether the thread is out of native code in time, and does not come back to it. */
  async #doom({ guard, name }: Living, deadlineMs: number): Promise<boolean> {
    try {
      await this.#clock.deadline(doomThread(guard), deadlineMs, `the native run of ${name}`)
      return true
    } catch {
      return false
    }
  }

  /** Aborts the task; Piscina terminates its thread then, and puts a new one in its place. */
  #terminate(living: Living): Worker | undefined {
    this.#living.delete(living)
    const before = this.#pool.threads
    living.abort.abort()
    const after = new Set(this.#pool.threads)
    return before.find((worker) => !after.has(worker))
  }

  /** The threads themselves keep the process alive until they are free, so nothing is left behind. */
  async #whenFree(stuck: readonly Living[], work: () => unknown): Promise<void> {
    await Promise.all(stuck.map(({ guard }) => doomThread(guard)))
    await work()
  }
}

function threadDied(name: string, cause: Error): TroupeError {
  return new TroupeError('E_HOST_DIED', `the thread of ${name} has ended: ${cause.message}`, {
    where: name,
    hint: 'An actor must not call process.exit(), and its JavaScript heap must suffice',
    cause,
  })
}

function stuckInNative(names: string, deadlineMs: number): TroupeError {
  return new TroupeError('E_DEADLINE', `the thread of ${names} did not leave native code within ${deadlineMs} ms`, {
    where: names,
    hint: 'It is ended as soon as it does; a role that must be ended at once needs a process of its own',
  })
}
