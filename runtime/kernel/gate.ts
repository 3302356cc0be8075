import type { Scheduler } from '../time/scheduler.js'
import { assert } from './errors.js'

/** Something that the gate may let in: an input with a waiting item, or a stream of the actor's own making. */
export interface Source {
  readonly kind: 'input' | 'own'
  readonly waiting: boolean
  take(): void
}

/** A turn of the actor's own loop that lets the others come first. */
interface Resting {
  go(): void
}

export interface GateOptions {
  readonly scheduler: Scheduler
  /** Whether every output has credit and the observer keeps up. */
  readonly mayTake: () => boolean
  /**
   * Called whenever the actor has become idle and everything that followed from its last turn has settled, before it is
   * given more: what it has done can be put away now. While a promise is pending, nothing is let in.
   */
  readonly onIdle: () => Promise<void> | undefined
  /** Wraps what runs the actor's own code. */
  readonly within: (work: () => void) => void
  /** Whether one more turn may follow after so many, before the gate lets others go first. Default: none. */
  readonly goOn?: ((turns: number) => boolean) | undefined
}

/**
 * Decides when an actor is given its next item: one at a time, from its sources in turn, and only while no turn runs,
 * is queued or waits to be ready, and every output has credit. So nothing piles up inside of an actor.
 *
 * A turn that waits to be ready holds all inputs of its actor, also those that it does not come from: what makes it
 * ready must come from elsewhere (published weights), never from another input of the same actor.
 */
export class Gate {
  readonly #options: GateOptions
  readonly #sources: Source[] = []
  #next = 0
  #busy = 0
  #open = false
  #taking = false
  #taken = false
  #settling = false
  #leaving = false
  #putting = false
  #turns = 0
  readonly #resting: Resting[] = []

  constructor(options: GateOptions) {
    this.#options = options
  }

  add(source: Source): void {
    this.#sources.push(source)
    this.poll()
  }

  remove(source: Source): void {
    const index = this.#sources.indexOf(source)
    if (index >= 0) this.#sources.splice(index, 1)
  }

  /** True while no turn runs, is queued or waits to be ready. */
  get idle(): boolean {
    return this.#busy === 0
  }

  /** Turns that run, are queued or wait to be ready. */
  get busy(): number {
    return this.#busy
  }

  /** Lets items in from now on, the first source first. */
  open(): void {
    this.#open = true
    this.#next = 0
    this.settle()
  }

  /** Lets nothing in any more. */
  shut(): void {
    this.#open = false
  }

  /** A turn is wanted. */
  enter(): void {
    this.#busy++
  }

  /** A turn has ended and its result is out, or it is not wanted any more. */
  leave(count = 1): void {
    if (count === 0) return
    this.#busy -= count
    this.#turns += count
    assert(this.#busy >= 0, 'a turn is left once')
    if (this.#busy === 0) this.settle()
  }

  /** Runs what may run the actor's own code, although somebody else has called. */
  within(work: () => void): void {
    this.#options.within(work)
  }

  /** Turns since everything had settled. */
  get turns(): number {
    return this.#turns
  }

  /** So many turns have followed one another that the others must come first. */
  get tired(): boolean {
    return this.#turns > 0 && !(this.#options.goOn?.(this.#turns) ?? false)
  }

  /** Lets a turn go on when the others have come first. */
  rest(turn: Resting): void {
    this.#resting.push(turn)
    this.settle()
  }

  /** Called when something may have changed: an item arrived, credit came back, the observer caught up. */
  poll(): void {
    if (this.#taking || this.#settling || this.#putting) return
    if (!this.#open || this.#busy > 0 || !this.#options.mayTake()) return
    this.#taking = true
    this.#taken = false
    this.#options.within(this.#takeAll)
    this.#taking = false
    if (this.#taken && this.#busy === 0) this.settle()
  }

  readonly #takeAll = () => {
    while (this.#takeNext()) {
      this.#taken = true
      if (!this.#open || this.#busy > 0 || this.#leaving || this.tired || !this.#options.mayTake()) return
    }
  }

  /** Before a turn of an actor's own loop: up to `count` waiting items, although a turn is wanted. */
  admit(count: number): void {
    this.#options.within(() => {
      for (let i = 0; i < count; i++) if (!this.#open || !this.#options.mayTake() || !this.#takeNext('input')) return
    })
  }

  /** Looks again once the actor's own reactions have run: only then does idle count. */
  settle(): void {
    if (this.#settling) return
    this.#settling = true
    this.#options.scheduler.hop(this.#settled)
  }

  /** What the actor has done must leave before it is given more. */
  leaveFirst(): void {
    this.#leaving = true
    this.settle()
  }

  readonly #settled = () => {
    this.#settling = false
    this.#leaving = false
    this.#turns = 0
    if (this.#resting.length > 0) this.#options.within(this.#goOn)
    if (this.#putting) return
    const putting = this.#busy === 0 ? this.#options.onIdle() : undefined
    if (putting === undefined) return void this.poll()
    this.#putting = true
    const done = () => {
      this.#putting = false
      this.settle()
    }
    putting.then(done, done)
  }

  readonly #goOn = () => {
    for (const turn of this.#resting.splice(0)) turn.go()
  }

  #takeNext(kind?: Source['kind']): boolean {
    const sources = this.#sources
    for (let i = 0; i < sources.length; i++) {
      const index = (this.#next + i) % sources.length
      const source = sources[index]
      if (!source?.waiting || (kind !== undefined && source.kind !== kind)) continue
      this.#next = index + 1
      source.take()
      return true
    }
    return false
  }
}
