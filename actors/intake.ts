import { Observable } from 'rxjs'
import { TroupeError } from '../runtime/kernel/errors.js'

interface Numbered {
  /** 0, 1, 2, … without gaps. */
  readonly id: number
  readonly lastOfUpdate: boolean
}

/** What an intake holds. */
export interface IntakeState<T> {
  /** The id that comes next. */
  readonly next: number
  /** Those that came before their turn, in the order in which they came. */
  readonly waiting: readonly T[]
  /** Those of the update that is not whole yet. */
  readonly held: readonly T[]
}

/**
 * Puts batches into the order of their ids, whatever order they come in (replicas finish in any order), and gathers them
 * until the one that ends an update. What waits is bounded by what the channels let be in flight.
 */
export class Intake<T extends Numbered> {
  readonly #onNew: (batch: T) => void
  readonly #onDuplicate: (batch: T) => void
  #next = 0
  #waiting = new Map<number, T>()
  #held: T[] = []

  /** A batch is new, or one that came before (its sender was restarted) and is dropped. */
  constructor(events: { readonly onNew: (batch: T) => void; readonly onDuplicate: (batch: T) => void }) {
    this.#onNew = events.onNew
    this.#onDuplicate = events.onDuplicate
  }

  /** The batches of one update at a time. A gap at the end is an `E_INVARIANT`. */
  updates(batches: Observable<T>): Observable<readonly T[]> {
    return new Observable((subscriber) =>
      batches.subscribe({
        next: (batch) => {
          for (const update of this.#take(batch)) subscriber.next(update)
        },
        error: (error) => subscriber.error(error),
        complete: () => {
          for (const update of this.#whole()) subscriber.next(update)
          if (this.#waiting.size === 0) subscriber.complete()
          else subscriber.error(new TroupeError('E_INVARIANT', `invariant broken: batch ${this.#next} never came`))
        },
      }),
    )
  }

  /** A batch that was given up counts as come: it is handed on with those that come after it. */
  pass(batch: T): void {
    if (batch.id >= this.#next) this.#waiting.set(batch.id, batch)
  }

  snapshot(): IntakeState<T> {
    return { next: this.#next, waiting: [...this.#waiting.values()], held: [...this.#held] }
  }

  restore({ next, waiting, held }: IntakeState<T>): void {
    this.#next = next
    this.#waiting = new Map(waiting.map((batch) => [batch.id, batch]))
    this.#held = [...held]
  }

  /** The updates that a batch makes whole. */
  #take(batch: T): readonly (readonly T[])[] {
    if (batch.id < this.#next || this.#waiting.has(batch.id)) {
      this.#onDuplicate(batch)
      return []
    }
    this.#onNew(batch)
    this.#waiting.set(batch.id, batch)
    return this.#whole()
  }

  #whole(): readonly (readonly T[])[] {
    const whole: T[][] = []
    for (let ready = this.#waiting.get(this.#next); ready; ready = this.#waiting.get(this.#next)) {
      this.#waiting.delete(this.#next++)
      this.#held.push(ready)
      if (!ready.lastOfUpdate) continue
      whole.push(this.#held)
      this.#held = []
    }
    return whole
  }
}
