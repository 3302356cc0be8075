/** Arrays kept at most; more are left to the collector. */
const MOST = 32

/**
 * Large arrays handed out again instead of made anew: typed arrays lie outside of the heap, and making them anew for every
 * batch drove the collector. What an array holds is left over from its last use.
 */
export class BufferPool {
  readonly #free: Float32Array[] = []

  take(length: number): Float32Array {
    const at = this.#free.findIndex((array) => array.length === length)
    return at < 0 ? new Float32Array(length) : (this.#free.splice(at, 1)[0] as Float32Array)
  }

  give(array: Float32Array): void {
    this.#free.push(array)
    if (this.#free.length > MOST) this.#free.shift()
  }
}
