import type { Random } from '../../../runtime/time/random.js'

/**
 * `count` items from place `from` of endless passes through `items`, each pass in an order of its own; nothing of a pass comes
 * twice. `items` is not empty.
 */
export function passes<T>(items: readonly T[], count: number, random: Random, from = 0): T[] {
  const taken: T[] = []
  for (let at = from; taken.length < count; ) {
    const pass = Math.floor(at / items.length)
    const order = random.stream('pass', pass).shuffle(items)
    const part = order.slice(at % items.length, (at % items.length) + count - taken.length)
    taken.push(...part)
    at += part.length
  }
  return taken
}
