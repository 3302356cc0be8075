import type { Annotator, Gold, World } from '../../actors/world.js'
import type { Random } from '../../runtime/time/random.js'

/** Words of the vocabulary, markers included; new tokens of an answer; tokens of a prompt, its marker included. */
export const SHAPE = { vocab: 512, newTokens: 32, promptTokens: 16 } as const

const MARKERS = { pad: '<pad>', begin: '<s>', end: '</s>', unknown: '<unk>' } as const
const WORDS = [...Object.values(MARKERS), ...numbered(SHAPE.vocab - Object.keys(MARKERS).length)]
/** What the annotator counts. */
const LIKED = 'w7'

function numbered(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `w${i}`)
}

const likedIn = (answer: string): number => answer.split(' ').filter((word) => word === LIKED).length

/** Random words as prompts, nobody who answers: work for a policy that nothing was taught, and that rarely stops. */
export function createWorld(): World {
  return {
    name: 'oaif-bench',
    words: WORDS,
    markers: MARKERS,
    limits: { answer: SHAPE.newTokens, verdict: 1, prompt: 1, context: SHAPE.promptTokens + SHAPE.newTokens },
    answerContext: (prompt) => `${MARKERS.begin} ${prompt}`,
    judgeContext: (prompt, answer) => `${MARKERS.begin} ${prompt} ${answer}`,
    promptContext: () => MARKERS.begin,
    readVerdict: () => ({ readable: false, reason: 'nobody judges here' }),
    readPrompt: () => ({ malformed: 'nobody invents prompts here' }),
    isHeldOut: () => false,
    prompts: (count, random) => Array.from({ length: count }, () => promptOf(random)),
    demonstrations: () => [],
  }
}

function promptOf(random: Random): string {
  const words = Array.from({ length: SHAPE.promptTokens - 1 }, () => `w${random.int(SHAPE.vocab - 4)}`)
  return words.join(' ')
}

/** Prefers the answer in which one word occurs more often. */
export function createAnnotator(): Annotator {
  return {
    score: (_prompt, answer) => likedIn(answer),
    compare: (_prompt, first, second) => {
      const lead = likedIn(first) - likedIn(second)
      return lead === 0 ? 'tie' : lead > 0 ? 'first' : 'second'
    },
  }
}

export function createGold(): Gold {
  return {
    criteria: ['liked'],
    score: (_prompt, answer) => ({ points: Math.min(5, likedIn(answer)), criteria: [likedIn(answer) > 0] }),
    judgeSet: () => [],
  }
}
