import type { Passage, VirtualLinks } from '../channel/virtual-wire.js'
import type { Outcome, Work } from '../kernel/busy-period.js'
import type { WireError } from '../kernel/errors.js'
import { TroupeError, toWire } from '../kernel/errors.js'
import type { Reporter } from '../observe/reporter.js'
import type { Clock } from '../time/clock.js'
import type { VirtualTime } from '../time/virtual.js'
import type { CellCommit } from './commit.js'
import type { Control, Reply } from './control.js'
import { asTurnWork } from './turn-work.js'

/**
 * How an actor fails in a turn: its host ends before the work, in the middle of it, or just after its result is out; or it computes
 * for an hour without giving way.
 */
export type TurnFault = 'before' | 'during' | 'after' | 'hang'

/** What goes wrong as an actor puts away what it has done: it is refused, or its host ends just before or after it was put away. */
export type CommitFault = 'refuse' | 'before' | 'after'

/** A life of an actor, as failures are put into it. */
export interface FaultyHost {
  readonly actor: string
  /** Ends the host at once; harmless when it has ended before. */
  die(what: string): void
}

/** Failures that are put into a virtual run, and what whoever puts them in has to see. */
export interface Faults {
  readonly turn?: ((turn: { actor: string; name: string; index: number }) => TurnFault | undefined) | undefined
  readonly commit?: ((actor: string, commit: CellCommit) => CommitFault | undefined) | undefined
  /** A host has been made for a life of an actor. */
  readonly hosted?: ((host: FaultyHost) => void) | undefined
  /** By how much the clock is wrong that an actor is given. */
  readonly skewMs?: ((actor: string, now: number) => number) | undefined
  /** A frame is posted. */
  readonly posted?: ((passage: Passage) => void) | undefined
  readonly tamper?: VirtualLinks['tamper']
  /** Default 50. */
  readonly repeatMs?: number | undefined
}

const HANG_MS = 3_600_000

/** Failures of one life: what its turns, its commits and its control do. */
export class FaultyLife implements FaultyHost {
  readonly actor: string
  readonly #time: VirtualTime
  readonly #faults: Faults
  readonly #onDeath: (error: TroupeError) => void
  readonly #computation: Computation
  #dead = false
  #hangs = false
  #wake = () => {}
  /** Those who wait for an answer. */
  readonly #asked = new Set<() => void>()

  constructor(actor: string, time: VirtualTime, faults: Faults, onDeath: (error: TroupeError) => void) {
    this.actor = actor
    this.#time = time
    this.#faults = faults
    this.#onDeath = onDeath
    this.#computation = new Computation(time)
  }

  get hangs(): boolean {
    return this.#hangs
  }

  die(what: string): void {
    if (this.#dead) return
    this.end()
    this.#onDeath(new TroupeError('E_HOST_DIED', `${this.actor} was ended ${what}`, { where: this.actor }))
  }

  /** The host has ended; nobody is told. */
  end(): void {
    this.#dead = true
    this.#wake()
    for (const isGone of this.#asked) isGone()
    this.#asked.clear()
  }

  /** A turn in which the actor may fail: its `index`-th, which takes `ms`. */
  perform<A, R>(name: string, index: number, ms: number, work: Work<A, R>, item: A, outcome: Outcome<R>): void {
    const { turn } = this.#faults
    const fault = turn ? turn({ actor: this.actor, name, index }) : undefined
    if (fault === undefined) this.#computation.begin(ms, work, item, outcome)
    else this.#fail(fault, ms, work, item, outcome)
  }

  #fail<A, R>(fault: TurnFault, ms: number, work: Work<A, R>, item: A, outcome: Outcome<R>): void {
    const { scheduler } = this.#time
    const computation = this.#computation
    switch (fault) {
      case 'before':
        scheduler.hop(() => this.die('before a turn'))
        return
      case 'during': {
        const die = () => this.die('in a turn')
        computation.begin(ms / 2, work, item, { ended: die, failed: die })
        return
      }
      case 'after': {
        const after = () => scheduler.hop(() => scheduler.hop(() => this.die('after a turn')))
        computation.begin(ms, work, item, {
          ended: (result) => {
            outcome.ended(result)
            after()
          },
          failed: (error) => {
            outcome.failed(error)
            after()
          },
        })
        return
      }
      case 'hang':
        this.#hang(() => computation.begin(ms, work, item, outcome))
    }
  }

  /** What is put away in this life may be refused, or be the last that is. */
  reporting(reporter: Reporter): Reporter {
    const { commit } = this.#faults
    if (!commit) return reporter
    return {
      ...reporter,
      commit: (put) => {
        const fault = commit(this.actor, put)
        if (fault === 'refuse')
          throw new TroupeError('E_JOURNAL', 'what was done cannot be put away', { where: this.actor })
        if (fault === 'before') return void this.die('before a commit')
        void reporter.commit(put)
        if (fault === 'after') this.die('after a commit')
        return undefined
      },
    }
  }

  /** The clock that the actor is given; its timers are right also when what it shows is not. */
  clock(clock: Clock): Clock {
    const { skewMs } = this.#faults
    return skewMs ? { ...clock, now: () => clock.now() + skewMs(this.actor, clock.now()) } : clock
  }

  /** Nobody answers while the host hangs; when it ends, whoever waits is told. */
  control<H>(control: Control<H>): Control<H> {
    const answered = <T>(call: () => Promise<Reply<T>>): Promise<Reply<T>> =>
      new Promise((resolve) => {
        const isGone = () => resolve({ ok: false, error: gone(this.actor) })
        if (this.#dead) return isGone()
        this.#asked.add(isGone)
        if (this.#hangs) return
        void call().then((answer) => {
          this.#asked.delete(isGone)
          resolve(answer)
        })
      })
    return {
      start: () => answered(() => control.start()),
      wire: (plan) => answered(() => control.wire(plan)),
      rewire: (rewiring) => answered(() => control.rewire(rewiring)),
      ask: (method, args) => answered(() => control.ask(method, args)),
      ping: () => answered(() => control.ping()),
      halt: () => answered(() => control.halt()),
      dispose: () => answered(() => control.dispose()),
    }
  }

  #hang(work: () => void): void {
    this.#hangs = true
    this.#wake = this.#time.clock.after(HANG_MS, () => {
      this.#hangs = false
      work()
    })
  }
}

function gone(where: string): WireError {
  return toWire(new TroupeError('E_ACTOR_DOWN', `the host of ${where} has ended`, { where }))
}

/** The work of an actor's turns, one after another: really done now, while time stands still; its result comes when the turn ends. */
class Computation {
  readonly #time: VirtualTime
  #outcome: Outcome<unknown> | undefined
  #result: unknown
  #failed = false

  constructor(time: VirtualTime) {
    this.#time = time
  }

  begin<A, R>(ms: number, work: Work<A, R>, item: A, outcome: Outcome<R>): void {
    const time = this.#time
    const place = time.reserve()
    this.#outcome = outcome as Outcome<unknown>
    let result: R | Promise<R>
    try {
      result = asTurnWork(work, item)
    } catch (error) {
      this.#settle(ms, place, error, true)
      return
    }
    if (!(result instanceof Promise)) {
      this.#settle(ms, place, result, false)
      return
    }
    const release = time.hold()
    const ended = (value: R) => this.#settle(ms, place, value, false)
    const failed = (error: unknown) => this.#settle(ms, place, error, true)
    result.then(ended, failed).finally(release)
  }

  #settle(ms: number, place: number, result: unknown, failed: boolean): void {
    this.#result = result
    this.#failed = failed
    this.#time.schedule(ms, this.#end, place)
  }

  readonly #end = () => {
    const outcome = this.#outcome as Outcome<unknown>
    const result = this.#result
    this.#outcome = this.#result = undefined
    if (this.#failed) outcome.failed(result)
    else outcome.ended(result)
  }
}
