/** An id that ends in a whole number, as `String` writes it: the prefix, and the number. */
const NUMBERED = /^(.*?)(0|[1-9]\d{0,14})$/s
const RANGE = /^(.*?)(0|[1-9]\d{0,14})-(0|[1-9]\d{0,14})$/s

/**
 * A set of ids in which those that differ in their last number alone (`3.0`, `3.1`, …) are kept as ranges, so that it does not
 * grow with a run whose samples are numbered; any other id is kept as it is.
 */
export class IdRanges {
  /** By prefix: first and last of each range, ascending, with a gap before the next. */
  readonly #ranges = new Map<string, number[]>()
  readonly #others = new Set<string>()
  #size = 0

  get size(): number {
    return this.#size
  }

  has(id: string): boolean {
    const numbered = NUMBERED.exec(id)
    if (!numbered) return this.#others.has(id)
    const ranges = this.#ranges.get(numbered[1]!)
    if (!ranges) return false
    const number = Number(numbered[2])
    const at = firstAfter(ranges, number)
    return at % 2 === 1 || ranges[at - 1] === number
  }

  /** False if it was there before. */
  add(id: string): boolean {
    const numbered = NUMBERED.exec(id)
    if (numbered) return this.#addRange(numbered[1]!, Number(numbered[2]), Number(numbered[2]))
    if (this.#others.has(id)) return false
    this.#others.add(id)
    this.#size++
    return true
  }

  /** Ranges as `3.0-41`, and ids that are in none. */
  toStrings(): string[] {
    const lines = [...this.#others]
    for (const [prefix, ranges] of this.#ranges)
      for (let i = 0; i < ranges.length; i += 2) lines.push(`${prefix}${ranges[i]}-${ranges[i + 1]}`)
    return lines
  }

  /** Takes back what {@link toStrings} gave, or plain ids; false where any of it was there before or is upside down. */
  addString(line: string): boolean {
    const range = RANGE.exec(line)
    if (!range) return this.add(line)
    const [from, to] = [Number(range[2]), Number(range[3])]
    return from <= to && this.#addRange(range[1]!, from, to)
  }

  #addRange(prefix: string, from: number, to: number): boolean {
    const ranges = this.#ranges.get(prefix) ?? []
    if (ranges.length === 0) this.#ranges.set(prefix, ranges)
    const at = firstAfter(ranges, from)
    const inside = at % 2 === 1 || ranges[at - 1] === from
    if (inside || (at < ranges.length && ranges[at]! <= to)) return false
    const joinsBefore = ranges[at - 1] === from - 1
    const joinsAfter = ranges[at] === to + 1
    if (joinsBefore && joinsAfter) ranges.splice(at - 1, 2)
    else if (joinsBefore) ranges[at - 1] = to
    else if (joinsAfter) ranges[at] = from
    else ranges.splice(at, 0, from, to)
    this.#size += to - from + 1
    return true
  }
}

/** Where in the ascending list the first number greater than `value` is. */
function firstAfter(list: readonly number[], value: number): number {
  let low = 0
  let high = list.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (list[middle]! > value) high = middle
    else low = middle + 1
  }
  return low
}
