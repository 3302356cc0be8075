import type { Gold, RankedAnswers } from '../../../actors/world.js'
import { TroupeError } from '../../../runtime/kernel/errors.js'
import { ANSWERS_PER_PROMPT, requestOf, variedAnswers } from './demonstrations.js'
import { wordsOf } from './format.js'
import { readOptions } from './options.js'
import { parsePrompt } from './prompts.js'
import { assess, CRITERIA } from './rubric.js'
import { drawPrompts } from './split.js'

/**
 * The scorer of the default world, for the evaluator alone. Takes the options of the world that it scores.
 * `score` throws `E_DATA` on a prompt that is none of this world's.
 */
export function createGold(given: unknown): Gold {
  const options = readOptions(given)

  function score(prompt: string, answer: string) {
    const read = parsePrompt(prompt)
    if ('malformed' in read)
      throw new TroupeError('E_DATA', `"${prompt}" is not a prompt of the default world (${read.malformed})`)
    const { points, criteria } = assess(read.request, wordsOf(answer))
    return { points, criteria }
  }

  return {
    criteria: CRITERIA,
    score,
    judgeSet(count, random) {
      const answers = random.stream('answers')
      return drawPrompts(count, random.stream('prompts'), true, options.heldOut).map((prompt): RankedAnswers => {
        const written = variedAnswers(requestOf(prompt), ANSWERS_PER_PROMPT, answers, options)
        return { prompt, answers: written, points: written.map((answer) => score(prompt, answer).points) }
      })
    },
  }
}
