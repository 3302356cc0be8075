import { type ChildProcess, fork } from 'node:child_process'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import type { SocketEnd } from '../channel/socket-hub.js'
import { TroupeError } from '../kernel/errors.js'
import type { ActorIdentity } from '../observe/events.js'
import { receiveReports } from '../observe/outbox.js'
import type { Clock } from '../time/clock.js'
import type { Control } from './control.js'
import { type Death, processDeath } from './death.js'
import { Ipc } from './ipc.js'
import { readLines } from './lines.js'
import { PARENT_FD, PLANES, type ProcessTask } from './process-task.js'
import { type RemoteControl, remoteControl } from './remote-control.js'
import type { HostSink } from './stage.js'

const hostFile = fileURLToPath(new URL('./process-host.js', import.meta.url))
/** Lines of stderr that are told with a death. */
const LAST_WORDS = 5
/** Longest wait for them once the process is gone. */
const LAST_WORDS_MS = 500

export interface ActorProcessOptions {
  readonly clock: Clock
  readonly sink: HostSink
  /** The process listens at its path. */
  readonly onReady: () => void
  /** The process has ended, whoever ended it. */
  readonly onGone: () => void
}

/** One forked process and the actor in it. */
export class ActorProcess {
  readonly control: Control<SocketEnd>
  readonly #name: string
  readonly #identity: ActorIdentity
  readonly #options: ActorProcessOptions
  readonly #child: ChildProcess
  readonly #remote: RemoteControl<SocketEnd>
  readonly #gone: Promise<void>
  readonly #lastWords: string[] = []
  #life: 'up' | 'disposed' | 'killed' = 'up'
  #malformed = 0

  constructor(task: ProcessTask, options: ActorProcessOptions) {
    const { name, role, replica } = task.spec
    this.#name = name
    this.#identity = { name, role, replica }
    this.#options = options
    this.#child = fork(hostFile, [], {
      serialization: 'advanced',
      // a debugger's port is one process's only
      execArgv: process.execArgv.filter((argument) => !argument.startsWith('--inspect')),
      stdio: ['ignore', 'pipe', 'pipe', 'ipc', 'pipe'],
    })
    this.#gone = this.#followDeath()
    const ipc = new Ipc(this.#child as ChildProcess & { readonly connected: boolean })
    this.#remote = remoteControl<SocketEnd>(ipc.plane(PLANES.control), { name: this.#name })
    const { control } = this.#remote
    this.control = { ...control, dispose: () => this.#dispose(control) }
    const malformed = () => this.#tell('warn', `dropped a malformed report (${++this.#malformed} so far)`)
    receiveReports(ipc.plane(PLANES.reports), options.sink, malformed)
    ipc.onMalformed(malformed)
    ipc.plane(PLANES.ready).on('message', options.onReady)
    this.#log('info', this.#child.stdout)
    this.#log('warn', this.#child.stderr)
    this.#holdLifeline()
    this.#send(ipc, task)
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  kill(deadlineMs: number): Promise<void> {
    if (this.#life === 'up') this.#life = 'killed'
    this.#remote.lost()
    this.#child.kill('SIGKILL')
    return this.#options.clock.deadline(this.#gone, deadlineMs, `killing the process of ${this.#name}`)
  }

  /** One that was disposed of ends by itself, and is killed when it does not in time; any other is killed at once. */
  async end(deadlineMs: number): Promise<void> {
    if (this.#life === 'disposed') {
      try {
        await this.#options.clock.deadline(this.#gone, deadlineMs, `the end of the process of ${this.#name}`)
        return
      } catch {
        this.#tell('warn', `did not end within ${deadlineMs} ms after it was disposed of, and was killed`)
      }
    }
    await this.kill(deadlineMs)
  }

  async #dispose(control: Control<SocketEnd>): ReturnType<Control<SocketEnd>['dispose']> {
    const answer = await control.dispose()
    if (this.#life === 'up') this.#life = 'disposed'
    if (this.#child.connected) this.#child.disconnect()
    return answer
  }

  /** Nothing ever comes over it; it is read all the same, because the end of all streams is the end of the process. */
  #holdLifeline(): void {
    const lifeline = this.#child.stdio[PARENT_FD] as Readable | undefined
    lifeline?.on('error', () => {}).resume()
  }

  /** A configuration that cannot cross fails the start, as it would in a thread. */
  #send(ipc: Ipc, task: ProcessTask): void {
    try {
      ipc.plane(PLANES.task).postMessage(task)
    } catch (cause) {
      const where = this.#name
      const error = new TroupeError('E_MESSAGE', `the configuration of ${where} cannot cross to a process`, {
        where,
        cause,
      })
      this.#life = 'killed'
      this.#remote.lost(error)
      this.#child.kill('SIGKILL')
    }
  }

  async #followDeath(): Promise<void> {
    const child = this.#child
    // it may come in the same breath as the exit
    const closed = new Promise<void>((resolve) => child.once('close', () => resolve()))
    const how = await new Promise<Pick<Death, 'code' | 'signal' | 'notStarted'>>((resolve) => {
      child.once('exit', (code, signal) => resolve({ code, signal }))
      child.once('error', (error) => {
        // an error of one that runs is followed by its exit
        if (child.pid === undefined) resolve({ code: null, signal: null, notStarted: error })
      })
    })
    if (!how.notStarted) await this.#within(LAST_WORDS_MS, closed)
    this.#options.onGone()
    const death = processDeath({ name: this.#name, ...how, lastWords: this.#lastWords })
    this.#remote.lost(death)
    if (this.#life === 'up') this.#options.sink.died(death, how.code === 0)
    else if (this.#life === 'disposed' && how.code !== 0)
      this.#tell('warn', `after it was disposed of, ${death.message}`)
  }

  #within(ms: number, work: Promise<void>): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#options.clock.after(ms, resolve)
      void work.then(() => {
        cancel()
        resolve()
      })
    })
  }

  #log(level: 'info' | 'warn', stream: ChildProcess['stderr']): void {
    if (!stream) return
    readLines(stream, (line) => {
      if (level === 'warn') this.#lastWords.push(line)
      if (this.#lastWords.length > LAST_WORDS) this.#lastWords.shift()
      this.#tell(level, line)
    })
  }

  #tell(level: 'info' | 'warn', message: string): void {
    const { sink, clock } = this.#options
    sink.event({ type: 'log', actor: this.#identity, at: clock.now(), level, message })
  }
}
