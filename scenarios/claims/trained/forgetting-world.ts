import type { World } from '../../../actors/world.js'
import type { Random } from '../../../runtime/time/random.js'
import { parsePrompt } from '../../worlds/default/prompts.js'
import { createWorld as createDefault } from '../../worlds/default/world.js'

/** The skill that later rounds do not ask for, and the only one that is evaluated. */
const RARE = 'ordered'
/** Training prompts that ask for anything, before those that never ask for it. */
export const COMMON = 384

/**
 * The default world, in which nobody asks for alphabetical order after the first 384 prompts, and in which held-out prompts
 * ask for nothing else.
 */
export function createWorld(given: unknown): World {
  const world = createDefault(given)
  const isRare = (prompt: string) => {
    const read = parsePrompt(prompt)
    return 'request' in read && read.request.family === RARE
  }
  /** `count` distinct ones that fit, of as many more as it takes. */
  function only(count: number, fits: (prompt: string) => boolean, random: Random, heldOut: boolean): string[] {
    for (let drawn = 2 * count; ; drawn *= 2) {
      const found = world.prompts(drawn, random.stream('only', drawn), { heldOut }).filter(fits)
      if (found.length >= count) return found.slice(0, count)
    }
  }
  return {
    ...world,
    name: 'forgetting',
    prompts(count, random, { heldOut }) {
      if (heldOut) return only(count, isRare, random, true)
      const first = world.prompts(Math.min(count, COMMON), random, { heldOut })
      const known = new Set(first)
      return [...first, ...only(count - first.length, (prompt) => !isRare(prompt) && !known.has(prompt), random, false)]
    },
  }
}
