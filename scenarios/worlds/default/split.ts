import type { Random } from '../../../runtime/time/random.js'
import { seededRandom } from '../../../runtime/time/random.js'
import { makePrompt } from './prompts.js'

/** Whether a prompt is held out: by a hash of its words, so that everybody agrees without a list. */
export const isHeldOut = (prompt: string, fraction: number): boolean =>
  seededRandom(0, 'held out', prompt).float() < fraction

/** `count` distinct prompts of one side of the split. */
export function drawPrompts(count: number, random: Random, heldOut: boolean, fraction: number): string[] {
  const drawn = new Set<string>()
  while (drawn.size < count) drawn.add(drawPrompt(random, heldOut, fraction))
  return [...drawn]
}

export function drawPrompt(random: Random, heldOut: boolean, fraction: number): string {
  for (;;) {
    const prompt = makePrompt(random)
    if (isHeldOut(prompt, fraction) === heldOut) return prompt
  }
}
