import type { Demonstration, World } from '../../../actors/world.js'
import { answered, compared, judged, listed, requestOf } from './demonstrations.js'
import {
  answerContext,
  judgeContext,
  LIMITS,
  metaContext,
  promptContext,
  readPreference,
  readPrompt,
  readVerdict,
} from './format.js'
import { somebody, writeAnswer } from './humans.js'
import { readOptions } from './options.js'
import { ratedAnswers } from './preferences.js'
import { drawPrompts, isHeldOut } from './split.js'
import { MARKERS, WORDS } from './vocabulary.js'

/**
 * The default world: seven families of instructions over ten kinds of thing, people who slip, people who judge with
 * noise, and no scorer (see `gold.ts`). Options: {@link import('./options.js').worldOptions}.
 * @throws `E_CONFIG` on an unknown option or one out of range
 */
export function createWorld(given: unknown): World {
  const options = readOptions(given)
  const { pad, begin, end, unknown } = MARKERS
  return {
    name: 'default',
    words: WORDS,
    markers: { pad, begin, end, unknown },
    limits: LIMITS,
    answerContext,
    judgeContext,
    promptContext,
    metaContext,
    readVerdict,
    readPreference,
    readPrompt,
    isHeldOut: (prompt) => isHeldOut(prompt, options.heldOut),
    prompts: (count, random, { heldOut }) => drawPrompts(count, random, heldOut, options.heldOut),
    demonstrations(counts, random) {
      const [ift, eft, prompts] = [random.stream('ift'), random.stream('eft'), random.stream('prompts')]
      const meta = random.stream('meta')
      const all: Demonstration[] = [
        ...Array.from({ length: counts.ift }, () => answered(ift, options)),
        ...take(counts.eft, () => judged(eft, options)),
        ...Array.from({ length: counts.prompts }, () => listed(prompts, options)),
        ...Array.from({ length: counts.meta ?? 0 }, () => compared(meta, options)),
      ]
      return random.stream('order').shuffle(all)
    },
    answers: (prompt, count, random) =>
      Array.from({ length: count }, () => writeAnswer(requestOf(prompt), options.slips * somebody(random), random)),
    preferences: (count, random, { answers }) => ratedAnswers(count, answers, random, options),
  }
}

function take<T>(count: number, make: () => readonly T[]): T[] {
  const taken: T[] = []
  while (taken.length < count) taken.push(...make())
  return taken.slice(0, count)
}
