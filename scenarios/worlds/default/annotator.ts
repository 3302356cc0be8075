import { z } from 'zod'
import type { Annotator } from '../../../actors/world.js'
import type { Random } from '../../../runtime/time/random.js'
import { givenPoints, impressionOf } from './annotators.js'
import { wordsOf } from './format.js'
import { readWith } from './options.js'
import { parsePrompt } from './prompts.js'

/**
 * Noise of the three strengths. On answers that gold orders a hard verdict agrees with it in 84, 72 and 62 % (ties half), and
 * in 88, 76 and 66 % where both orders are asked, for it looks twice then.
 */
const NOISE = { large: 0.1, medium: 0.2, small: 0.3 } as const

/** What the annotator can be told, and the points that each word of an answer is then worth to it. */
const INSTRUCTIONS: Readonly<Record<string, number>> = {
  '': 0,
  'prefer shorter': -0.6,
  'prefer much shorter': -1.2,
  'prefer longer': 0.6,
}
const known = Object.keys(INSTRUCTIONS)
  .map((text) => `"${text}"`)
  .join(', ')

const annotatorOptions = z.strictObject({
  strength: z.enum(['large', 'medium', 'small']).default('large').describe('its `noise`: 0.1, 0.2 or 0.3'),
  noise: z
    .number()
    .min(0)
    .max(0.5)
    .optional()
    .describe('chance that it gets one of the five criteria wrong; default: that of its strength'),
  positionBias: z
    .number()
    .min(-10)
    .max(10)
    .default(0)
    .describe('points that an answer is worth to it for being shown first, where it compares'),
  lengthBias: z
    .number()
    .min(-2)
    .max(2)
    .default(0)
    .describe('points for each word beyond what was asked for (taken off for each missing), without being told'),
  temperature: z
    .number()
    .min(0)
    .max(100)
    .default(1)
    .describe('P(first is better) = σ((points of first − of second) / temperature); 0: a hard verdict'),
  instruction: z
    .string()
    .default('')
    .refine((text) => Object.hasOwn(INSTRUCTIONS, text), `it does not understand that instruction, but: ${known}`)
    .describe(`what it is told beside the rubric, and follows: ${known}`),
})

/**
 * The annotator of the default world, from outside of the policy: the larger model, or the people, that a method names.
 * It sees an answer's five criteria, each wrongly with chance `noise`, anew each time that it looks.
 *
 * - Its points are those criteria (0 where it looks irrelevant) plus length bias and instruction for each surplus word,
 *   rounded and cut to 0..5.
 * - It compares two answers by the same points, neither rounded nor cut: P = σ((s₁ − s₂ + positionBias) / temperature).
 * - Of a prompt that is none of this world's it says nothing: no score, or `invalid`.
 *
 * @throws `E_CONFIG` on an unknown option, one out of range, or an instruction that it does not understand
 */
export function createAnnotator(given: unknown): Annotator {
  const options = readWith(annotatorOptions, given, 'annotator')
  const { positionBias, temperature } = options
  const traits = {
    annotatorNoise: options.noise ?? NOISE[options.strength],
    lengthBias: options.lengthBias + (INSTRUCTIONS[options.instruction] as number),
  }

  function pointsOf(prompt: string, answer: string, random: Random): number | undefined {
    const read = parsePrompt(prompt)
    return 'malformed' in read ? undefined : impressionOf(read.request, wordsOf(answer), traits, random).points
  }

  return {
    score(prompt, answer, random) {
      const points = pointsOf(prompt, answer, random)
      return points === undefined ? undefined : givenPoints(points)
    },
    compare(prompt, first, second, random) {
      const [a, b] = [pointsOf(prompt, first, random), pointsOf(prompt, second, random)]
      if (a === undefined || b === undefined) return 'invalid'
      const lead = a - b + positionBias
      if (temperature > 0) return 1 / (1 + Math.exp(-lead / temperature))
      return lead === 0 ? 'tie' : lead > 0 ? 'first' : 'second'
    },
  }
}
