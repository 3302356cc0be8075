import type { RatedAnswers } from '../../../actors/world.js'
import { TroupeError } from '../../../runtime/kernel/errors.js'
import type { Random } from '../../../runtime/time/random.js'
import { annotate } from './annotators.js'
import { requestOf, variedAnswers } from './demonstrations.js'
import { wordsOf } from './format.js'
import type { WorldOptions } from './options.js'
import { drawPrompt } from './split.js'

/** Prompts in a row that cannot be had, or not with as many answers, before the world is held to have no more. */
const PATIENCE = 1000

/**
 * `count` distinct prompts, each with distinct answers by differently careful people (as those that are judged in the
 * demonstrations), which one other person scored. `E_CONFIG` when this world does not seem to have as many.
 */
export function ratedAnswers(count: number, answers: number, random: Random, options: WorldOptions): RatedAnswers[] {
  const rated = new Map<string, RatedAnswers>()
  for (let idle = 0; rated.size < count; idle++) {
    if (idle > PATIENCE)
      throw new TroupeError('E_CONFIG', `the default world has no ${count} prompts with ${answers} answers each`, {
        hint: `It gave ${rated.size}: ask for fewer, or let people slip more`,
      })
    const prompt = drawPrompt(random, false, options.heldOut)
    if (rated.has(prompt)) continue
    const request = requestOf(prompt)
    const written = variedAnswers(request, answers, random, options)
    if (written.length < answers) continue // what nobody gets wrong has one answer
    const scores = written.map((answer) => annotate(request, wordsOf(answer), options, random).score)
    rated.set(prompt, { prompt, answers: written, scores })
    idle = 0
  }
  return [...rated.values()]
}
