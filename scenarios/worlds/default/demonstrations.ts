import type { Demonstration } from '../../../actors/world.js'
import type { Random } from '../../../runtime/time/random.js'
import { annotate, preferenceText, preferredOf, verdictText } from './annotators.js'
import { answerContext, judgeContext, metaContext, promptContext, wordsOf } from './format.js'
import { anyCare, somebody, writeAnswer } from './humans.js'
import type { WorldOptions } from './options.js'
import { parsePrompt } from './prompts.js'
import { makeRequest, parseRequest, type Request } from './requests.js'
import { drawPrompt } from './split.js'
import { MARKERS } from './vocabulary.js'

/** Answers to one prompt that are judged and ranked together, by differently careful people. */
export const ANSWERS_PER_PROMPT = 4
/** Prompts shown before the one to learn. */
const SHOTS = { least: 3, most: 5 } as const

const ended = (text: string): string => `${text} ${MARKERS.end}`

/** Instructions answered by people who slip. */
export function answered(random: Random, options: WorldOptions): Demonstration {
  const prompt = drawPrompt(random, false, options.heldOut)
  const completion = ended(writeAnswer(requestOf(prompt), options.slips * somebody(random), random))
  return { kind: 'ift', prompt: answerContext(prompt), completion }
}

/**
 * Judgments of the answers of several people to one prompt, as the paper makes its evaluation fine-tuning set: one
 * person ranks the answers, others write a judgment of each; a judgment is kept only if the order that its score
 * induces agrees with the ranking, that is, if no other answer's judgment stands to it the other way round than the
 * ranking has it (ties agree with anything).
 */
export function judged(random: Random, options: WorldOptions): Demonstration[] {
  const prompt = drawPrompt(random, false, options.heldOut)
  const request = requestOf(prompt)
  const answers = variedAnswers(request, ANSWERS_PER_PROMPT, random, options)
  const ranking = answers.map((answer) => annotate(request, wordsOf(answer), options, random).score)
  const judgments = answers.map((answer) => annotate(request, wordsOf(answer), options, random))
  return answers.flatMap((answer, i) => {
    const score = (judgments[i] as { score: number }).score
    const agrees = judgments.every(
      (other, j) => (score - other.score) * ((ranking[i] as number) - (ranking[j] as number)) >= 0,
    )
    if (!agrees) return []
    return {
      kind: 'eft' as const,
      prompt: judgeContext(prompt, answer),
      completion: ended(verdictText(judgments[i] as never)),
    }
  })
}

/** Noise of the people whose judgments are compared, from careful to careless, evenly: a policy's own judgments vary as much. */
const NOISES = { least: 0.05, most: 0.4 } as const

/**
 * Two different judgments of an answer by differently careful people, compared by a third person who has judged the answer
 * too, with the noise that people have.
 */
export function compared(random: Random, options: WorldOptions): Demonstration {
  const judgedBy = (request: Request, answer: string, annotatorNoise: number) =>
    annotate(request, wordsOf(answer), { ...options, annotatorNoise }, random)
  const noise = () => NOISES.least + (NOISES.most - NOISES.least) * random.float()
  for (let attempt = 0; attempt < MOST_COMPARED; attempt++) {
    const prompt = drawPrompt(random, false, options.heldOut)
    const request = requestOf(prompt)
    const [answer = ''] = variedAnswers(request, 1, random, options)
    const [first, second] = [judgedBy(request, answer, noise()), judgedBy(request, answer, noise())]
    const own = judgedBy(request, answer, options.annotatorNoise)
    const preferred = preferredOf(own, first, second)
    if (preferred)
      return {
        kind: 'meta',
        prompt: metaContext(prompt, answer, verdictText(first), verdictText(second)),
        completion: ended(preferenceText(own, preferred)),
      }
  }
  throw new TypeError('nobody in this world prefers one judgment to another')
}

/** Lists of instructions, to learn to write the next. */
export function listed(random: Random, options: WorldOptions): Demonstration {
  const count = SHOTS.least + random.int(SHOTS.most - SHOTS.least + 1)
  const [next = '', ...shots] = Array.from({ length: count + 1 }, () => drawPrompt(random, false, options.heldOut))
  return { kind: 'prompts', prompt: promptContext(shots), completion: ended(next) }
}

/** Comparisons tried before one is made: more than half of them say something. */
const MOST_COMPARED = 1000
/** Attempts for each answer wanted before what there is has to do. */
const ATTEMPTS = 25

/**
 * Distinct answers to one prompt, from faultless to careless, some of them to something else altogether: `count`, or fewer
 * where no more come.
 */
export function variedAnswers(request: Request, count: number, random: Random, options: WorldOptions): string[] {
  const answers = new Set<string>()
  for (let attempt = 0; answers.size < count && attempt < ATTEMPTS * count; attempt++) {
    const about = random.chance(options.junk) ? (parseRequest(makeRequest(random).split(' ')) ?? request) : request
    answers.add(writeAnswer(about, options.slips * anyCare(random), random))
  }
  return [...answers]
}

export function requestOf(prompt: string): Request {
  const read = parsePrompt(prompt)
  if ('malformed' in read) throw new TypeError(`not a prompt of this world (${read.malformed}): ${prompt}`)
  return read.request
}
