import { checkCrossing } from '../channel/crossing.js'
import type { ActorIdentity } from '../observe/events.js'
import { type CellCommit, type CellState, merge } from '../placement/commit.js'
import { type Control, type Reply, unwrap } from '../placement/control.js'
import type { Host } from '../placement/stage.js'
import type { Clock } from '../time/clock.js'
import { TroupeError } from './errors.js'

/** `restarting` from a failure until it is up again; `gone` when it is not restarted and the others go on. */
type Life = 'new' | 'starting' | 'wiring' | 'up' | 'restarting' | 'failed' | 'gone' | 'stopped'

/** What is kept of a member beside the place that it lives in. */
export interface MemberState {
  readonly state: CellState | undefined
  readonly restarts: number
  /** How often each message has ended it, by channel and number. */
  readonly tries: ReadonlyMap<string, number>
  readonly aside: readonly { readonly channel: number; readonly seq: number }[]
  readonly gone: boolean
}

/** How often one message may be in work while its actor dies; then it is set aside. */
const MAX_TRIES = 3

/** One replica, as the troupe knows it, over all its lives: its place, what it has put away, and calls that never hang. */
export class Member<H> {
  readonly identity: ActorIdentity
  readonly #clock: Clock
  #host: Host<H> | undefined
  #life: Life = 'new'
  #lost = false
  /** Those who wait for an answer: told when it goes down, or when its place is gone. */
  readonly #calls = new Set<(error: TroupeError) => void>()
  readonly #lastCalls = new Set<(error: TroupeError) => void>()
  #state: CellState | undefined
  #taken: { channel: number; seq: number }[] = []
  readonly #tries = new Map<string, number>()
  readonly #aside: { channel: number; seq: number }[] = []
  #whenUp: (() => void)[] = []
  #unwatch = () => {}
  /** Counts its lives: what an earlier one still says is not heard. */
  lives = 0
  restarts = 0
  /** Its latest life has been stopped already: there is nobody to ask to stop. */
  retired = false
  completed = false

  constructor(identity: ActorIdentity, clock: Clock) {
    this.identity = identity
    this.#clock = clock
  }

  get name(): string {
    return this.identity.name
  }

  get life(): Life {
    return this.#life
  }

  /** Its place is gone, or hangs: there is nobody to ask to stop. */
  get lost(): boolean {
    return this.#lost
  }

  get host(): Host<H> {
    if (!this.#host) throw this.#isDown()
    return this.#host
  }

  get control(): Control<H> {
    return this.host.control
  }

  /** Whether it can be given a channel's end now. */
  get attachable(): boolean {
    return this.#life === 'up' || this.#life === 'wiring'
  }

  /** What it has put away in its lives so far. */
  get state(): CellState | undefined {
    return this.#state
  }

  /** Messages that it is not given any more. */
  get aside(): readonly { channel: number; seq: number }[] {
    return this.#aside
  }

  /** All that is known of it, for another run that goes on from here. */
  get snapshot(): MemberState {
    const { restarts } = this
    return {
      state: this.#state,
      restarts,
      tries: new Map(this.#tries),
      aside: [...this.#aside],
      gone: this.#life === 'gone',
    }
  }

  /** It goes on from here, before its first life. */
  resumeFrom({ state, restarts, tries, aside, gone }: MemberState): void {
    this.#state = state
    this.restarts = restarts
    for (const [message, count] of tries) this.#tries.set(message, count)
    this.#aside.push(...aside)
    this.completed = gone
    if (gone) this.#life = 'gone'
  }

  /** It has put everything away and lives nowhere, until it goes on. */
  rest(): void {
    this.#life = 'restarting'
    this.completed = false
    this.lose()
  }

  /** A new life begins. */
  live(host: Host<H>): void {
    this.#host = host
    this.#lost = false
    this.retired = false
    this.#taken = []
    this.#life = 'starting'
  }

  become(life: 'wiring' | 'up' | 'restarting' | 'gone'): void {
    this.#life = life
    if (life === 'restarting') return
    if (life !== 'wiring') for (const tell of this.#whenUp.splice(0)) tell()
  }

  commit(commit: CellCommit): void {
    this.#state = merge(this.#state, commit)
    this.#taken = []
  }

  taking(channel: number, seq: number): void {
    this.#taken.push({ channel, seq })
  }

  /** It died: the message that was in work is suspected, and set aside after the third time. Returns true when one is. */
  suspect(): boolean {
    const suspect = this.#taken.at(-1)
    if (!suspect) return false
    const key = `${suspect.channel}:${suspect.seq}`
    const tries = (this.#tries.get(key) ?? 0) + 1
    this.#tries.set(key, tries)
    if (tries < MAX_TRIES) return false
    this.#tries.delete(key)
    this.#aside.push(suspect)
    return true
  }

  /** Its place is watched in this life; `end` ends that. */
  watched(end: () => void): void {
    this.#unwatch = end
  }

  lose(): void {
    this.#lost = true
    this.#unwatch()
    const message = `the place of ${this.name} is gone`
    this.#tell(this.#lastCalls, new TroupeError('E_ACTOR_DOWN', message, { where: this.name }))
  }

  /** It has failed or stopped: whoever waits for an answer is told. */
  down(life: 'failed' | 'stopped', cause?: unknown): void {
    if (this.#life === 'gone' || this.#life === 'stopped') return
    this.#life = life
    this.#unwatch()
    this.#tell(this.#calls, this.#isDown(cause))
    for (const tell of this.#whenUp.splice(0)) tell()
  }

  /** Asks the actor: settles as its method does, or with `E_DEADLINE`, or with `E_ACTOR_DOWN`. */
  async ask(method: string, args: readonly unknown[], deadlineMs: number): Promise<unknown> {
    if (this.#isOnItsWay) await this.#untilUp(deadlineMs)
    if (this.#life !== 'up') throw this.#isDown()
    checkCrossing(args, `${this.name}, arguments of "${method}"`)
    return this.call(`${this.name}.${method}()`, this.control.ask(method, args), deadlineMs)
  }

  /** A call of the control plane, with a deadline, and rejected when the actor goes down. */
  async call<T>(what: string, answer: Promise<Reply<T>>, deadlineMs: number): Promise<T> {
    return unwrap(await this.#within(what, this.#or(this.#calls, answer), deadlineMs))
  }

  /** As {@link call}, for stopping: also an actor that has failed is stopped. */
  async callDown<T>(what: string, answer: Promise<Reply<T>>, deadlineMs: number): Promise<T> {
    return unwrap(await this.#within(what, this.#or(this.#lastCalls, answer), deadlineMs))
  }

  /** It was restarted before, and is not up yet. */
  get #isOnItsWay(): boolean {
    return this.#life === 'restarting' || (this.lives > 1 && (this.#life === 'starting' || this.#life === 'wiring'))
  }

  #or<T>(calls: Set<(error: TroupeError) => void>, answer: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      calls.add(reject)
      answer.then(
        (value) => {
          calls.delete(reject)
          resolve(value)
        },
        (error: unknown) => {
          calls.delete(reject)
          reject(error)
        },
      )
    })
  }

  #tell(calls: Set<(error: TroupeError) => void>, error: TroupeError): void {
    for (const reject of calls) reject(error)
    calls.clear()
  }

  async #untilUp(deadlineMs: number): Promise<void> {
    const up = new Promise<void>((resolve) => {
      this.#whenUp.push(resolve)
    })
    await this.#within(`restarting ${this.name}`, up, deadlineMs)
  }

  #within<T>(what: string, work: Promise<T>, deadlineMs: number): Promise<T> {
    return this.#clock.deadline(work, deadlineMs, what).catch((error: unknown) => {
      if (!(error instanceof TroupeError) || error.code !== 'E_DEADLINE') throw error
      throw new TroupeError('E_DEADLINE', error.message, { where: this.name, hint: error.hint })
    })
  }

  #isDown(cause?: unknown): TroupeError {
    const how: Record<Life, string> = {
      new: 'has not started',
      starting: 'is starting',
      wiring: 'is starting',
      up: 'is up',
      restarting: 'is being restarted',
      failed: 'has failed',
      gone: 'has failed and is not restarted',
      stopped: 'has stopped',
    }
    return new TroupeError('E_ACTOR_DOWN', `${this.name} ${how[this.#life]}`, { where: this.name, cause })
  }
}
