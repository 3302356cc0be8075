import { TroupeError } from '../../../runtime/kernel/errors.js'
import type { Random } from '../../../runtime/time/random.js'
import { seededRandom } from '../../../runtime/time/random.js'
import { makePrompt } from './prompts.js'

/** Whether a prompt is held out: by a hash of its words, so that everybody agrees without a list. */
export const isHeldOut = (prompt: string, fraction: number): boolean =>
  seededRandom(0, 'held out', prompt).float() < fraction

/** Draws in a row that bring nothing new before the world is held to be used up. */
const PATIENCE = 10_000

/** `count` distinct prompts of one side of the split; `E_CONFIG` when this world does not seem to have as many. */
export function drawPrompts(count: number, random: Random, heldOut: boolean, fraction: number): string[] {
  const drawn = new Set<string>()
  for (let idle = 0; drawn.size < count; ) {
    const before = drawn.size
    drawn.add(drawPrompt(random, heldOut, fraction))
    idle = drawn.size > before ? 0 : idle + 1
    if (idle > PATIENCE)
      throw new TroupeError(
        'E_CONFIG',
        `the default world has no ${count} distinct prompts on this side of its split`,
        {
          hint: `It gave ${drawn.size}: ask for fewer`,
        },
      )
  }
  return [...drawn]
}

/** Prompts looked at for one of a side. */
const MOST_DRAWS = 100_000

/** One prompt of one side; `E_CONFIG` when that side is all but empty. */
export function drawPrompt(random: Random, heldOut: boolean, fraction: number): string {
  for (let draws = 0; draws < MOST_DRAWS; draws++) {
    const prompt = makePrompt(random)
    if (isHeldOut(prompt, fraction) === heldOut) return prompt
  }
  throw new TroupeError('E_CONFIG', `the default world: no prompt in ${MOST_DRAWS} was on the side asked for`, {
    where: 'world.heldOut',
    hint: `Choose a fraction farther from 0 and 1 than ${fraction}`,
  })
}
