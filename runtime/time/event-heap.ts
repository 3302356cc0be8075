type Work = () => void

const ARITY = 4
const INITIAL = 64
/** Below this many, cancelled events wait for their time to come. */
const COMPACT_FROM = 64

/**
 * What is still to happen, ordered by (time, place). Typed arrays hold the order and slots hold the work, so that an
 * event costs no allocation. A cancelled event stays until it comes up, or until half of the events are cancelled.
 */
export class EventHeap {
  /** The time of the event that {@link pop} returned last. */
  time = 0
  /** In heap order: the least first, the children of `i` at `4i + 1` to `4i + 4`. */
  #times = new Float64Array(INITIAL)
  #places = new Float64Array(INITIAL)
  #slots = new Int32Array(INITIAL)
  #size = 0
  /** By slot. */
  readonly #work: (Work | undefined)[] = []
  #placeOf = new Float64Array(INITIAL)
  #weak = new Uint8Array(INITIAL)
  #free: number[] = []
  #strong = 0
  #cancelled = 0

  /** Events that keep time going. */
  get strong(): number {
    return this.#strong
  }

  /** Events held, the cancelled ones that have not been cleared away included. */
  get size(): number {
    return this.#size
  }

  /** Adds an event; a place is used once. Returns the slot, which with the place cancels it. */
  push(time: number, place: number, work: Work, weak: boolean): number {
    const slot = this.#free.pop() ?? this.#work.length
    if (this.#size === this.#times.length) this.#grow()
    this.#work[slot] = work
    this.#placeOf[slot] = place
    this.#weak[slot] = weak ? 1 : 0
    if (!weak) this.#strong++
    this.#siftUp(this.#size++, time, place, slot)
    return slot
  }

  /** Takes the next event away and returns its work; undefined where none is left. */
  pop(): Work | undefined {
    while (this.#size > 0) {
      const slot = this.#slots[0]!
      const time = this.#times[0]!
      const last = --this.#size
      if (last > 0) this.#siftDown(0, this.#times[last]!, this.#places[last]!, this.#slots[last]!)
      const work = this.#release(slot)
      if (work) {
        if (this.#weak[slot] === 0) this.#strong--
        this.time = time
        return work
      }
      this.#cancelled--
    }
    return undefined
  }

  /** Does nothing where the event has happened or was cancelled before. */
  cancel(slot: number, place: number): void {
    if (this.#placeOf[slot] !== place || this.#work[slot] === undefined) return
    this.#work[slot] = undefined
    if (this.#weak[slot] === 0) this.#strong--
    this.#cancelled++
    if (this.#cancelled > COMPACT_FROM && this.#cancelled * 2 > this.#size) this.#compact()
  }

  #release(slot: number): Work | undefined {
    const work = this.#work[slot]
    this.#work[slot] = undefined
    this.#free.push(slot)
    return work
  }

  #siftUp(from: number, time: number, place: number, slot: number): void {
    const times = this.#times
    const places = this.#places
    let at = from
    while (at > 0) {
      const parent = ((at - 1) / ARITY) | 0
      const other = times[parent]!
      if (other < time || (other === time && places[parent]! < place)) break
      times[at] = other
      places[at] = places[parent]!
      this.#slots[at] = this.#slots[parent]!
      at = parent
    }
    times[at] = time
    places[at] = place
    this.#slots[at] = slot
  }

  #siftDown(from: number, time: number, place: number, slot: number): void {
    const times = this.#times
    const places = this.#places
    const size = this.#size
    let at = from
    for (;;) {
      const first = at * ARITY + 1
      if (first >= size) break
      const end = Math.min(first + ARITY, size)
      let least = first
      for (let child = first + 1; child < end; child++) {
        const a = times[child]!
        const b = times[least]!
        if (a < b || (a === b && places[child]! < places[least]!)) least = child
      }
      const other = times[least]!
      if (time < other || (time === other && place < places[least]!)) break
      times[at] = other
      places[at] = places[least]!
      this.#slots[at] = this.#slots[least]!
      at = least
    }
    times[at] = time
    places[at] = place
    this.#slots[at] = slot
  }

  #compact(): void {
    let kept = 0
    for (let i = 0; i < this.#size; i++) {
      const slot = this.#slots[i]!
      if (this.#work[slot] === undefined) {
        this.#free.push(slot)
        continue
      }
      this.#times[kept] = this.#times[i]!
      this.#places[kept] = this.#places[i]!
      this.#slots[kept++] = slot
    }
    this.#size = kept
    this.#cancelled = 0
    for (let at = ((kept - 2) / ARITY) | 0; kept > 1 && at >= 0; at--) {
      this.#siftDown(at, this.#times[at]!, this.#places[at]!, this.#slots[at]!)
    }
  }

  #grow(): void {
    const length = this.#times.length * 2
    this.#times = grown(this.#times, new Float64Array(length))
    this.#places = grown(this.#places, new Float64Array(length))
    this.#slots = grown(this.#slots, new Int32Array(length))
    this.#placeOf = grown(this.#placeOf, new Float64Array(length))
    this.#weak = grown(this.#weak, new Uint8Array(length))
  }
}

function grown<A extends Float64Array | Int32Array | Uint8Array>(from: A, to: A): A {
  to.set(from)
  return to
}
