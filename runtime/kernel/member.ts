import { checkCrossing } from '../channel/crossing.js'
import type { ActorIdentity } from '../observe/events.js'
import { type Control, type Reply, unwrap } from '../placement/control.js'
import type { Clock } from '../time/clock.js'
import { TroupeError } from './errors.js'

type Life = 'new' | 'up' | 'failed' | 'stopped'

/** One replica, as the troupe knows it: its life, and calls that never hang. */
export class Member<H> {
  readonly identity: ActorIdentity
  readonly control: Control<H>
  readonly #clock: Clock
  readonly #down: Promise<never>
  readonly #gone: Promise<never>
  #reject: (error: TroupeError) => void = () => {}
  #rejectGone: (error: TroupeError) => void = () => {}
  #lost = false
  #life: Life = 'new'
  completed = false

  constructor(identity: ActorIdentity, control: Control<H>, clock: Clock) {
    this.identity = identity
    this.control = control
    this.#clock = clock
    this.#down = new Promise((_, reject) => {
      this.#reject = reject
    })
    this.#gone = new Promise((_, reject) => {
      this.#rejectGone = reject
    })
    this.#down.catch(() => {})
    this.#gone.catch(() => {})
  }

  get name(): string {
    return this.identity.name
  }

  /** Its thread is gone, or hangs: there is nobody to ask to stop. */
  get lost(): boolean {
    return this.#lost
  }

  lose(): void {
    this.#lost = true
    this.#rejectGone(this.#isDown())
  }

  get life(): Life {
    return this.#life
  }

  up(): void {
    if (this.#life === 'new') this.#life = 'up'
  }

  /** It has failed or stopped: whoever waits for an answer is told. */
  down(life: 'failed' | 'stopped', cause?: unknown): void {
    if (this.#life === 'failed' || this.#life === 'stopped') return
    this.#life = life
    this.#reject(this.#isDown(cause))
  }

  /** Asks the actor: settles as its method does, or with `E_DEADLINE`, or with `E_ACTOR_DOWN`. */
  async ask(method: string, args: readonly unknown[], deadlineMs: number): Promise<unknown> {
    if (this.#life !== 'up') throw this.#isDown()
    checkCrossing(args, `${this.name}, arguments of "${method}"`)
    return this.call(`${this.name}.${method}()`, this.control.ask(method, args), deadlineMs)
  }

  /** A call of the control plane, with a deadline, and rejected when the actor goes down. */
  async call<T>(what: string, answer: Promise<Reply<T>>, deadlineMs: number): Promise<T> {
    return unwrap(await this.#within(what, Promise.race([answer, this.#down]), deadlineMs))
  }

  /** As {@link call}, for stopping: also an actor that has failed is stopped. */
  async callDown<T>(what: string, answer: Promise<Reply<T>>, deadlineMs: number): Promise<T> {
    return unwrap(await this.#within(what, Promise.race([answer, this.#gone]), deadlineMs))
  }

  async #within<T>(what: string, work: Promise<T>, deadlineMs: number): Promise<T> {
    try {
      return await this.#clock.deadline(work, deadlineMs, what)
    } catch (error) {
      if (!(error instanceof TroupeError) || error.code !== 'E_DEADLINE') throw error
      throw new TroupeError('E_DEADLINE', error.message, { where: this.name, hint: error.hint })
    }
  }

  #isDown(cause?: unknown): TroupeError {
    const how = { new: 'has not started', up: 'is up', failed: 'has failed', stopped: 'has stopped' }[this.#life]
    return new TroupeError('E_ACTOR_DOWN', `${this.name} ${how}`, { where: this.name, cause })
  }
}
