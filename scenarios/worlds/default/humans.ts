import type { Random } from '../../../runtime/time/random.js'
import { fitting, type Request } from './requests.js'
import { STOP } from './rubric.js'
import { CATEGORIES, CATEGORY_NAMES, type Category, FLUFF, NEIGHBOUR } from './vocabulary.js'

/** How often an ordinary person slips; a person's care scales all of them. */
export const SLIP_RATES = {
  /** Each word: one of the neighbouring kind instead. */
  confuse: 0.2,
  /** Each word of a `without` request: the forbidden letter is overlooked. */
  letter: 0.2,
  /** One word too few. */
  drop: 0.3,
  /** One word too many. */
  extra: 0.15,
  /** The last word is one that was there before. */
  repeat: 0.08,
  /** Order is not minded, where it was asked for. */
  unordered: 0.4,
  /** A courtesy before the answer, and one after it. */
  before: 0.4,
  after: 0.35,
  /** The final stop is forgotten. */
  noStop: 0.3,
} as const

/** Care of the people who answer: careful, ordinary, careless. */
const PEOPLE = [
  { slips: 0, share: 0.2 },
  { slips: 1, share: 0.5 },
  { slips: 1.6, share: 0.3 },
] as const

/** The slip scale of somebody at random who answers. */
export function somebody(random: Random): number {
  let rest = random.float()
  for (const { slips, share } of PEOPLE) {
    rest -= share
    if (rest < 0) return slips
  }
  return 1
}

/** The slip scale of an answer that is written to be judged: anything from perfect to careless, evenly. */
export const anyCare = (random: Random): number => 1.6 * random.float()

/** What a person writes; `slips` scales {@link SLIP_RATES}, 0 is faultless. */
export function writeAnswer(request: Request, slips: number, random: Random): string {
  const slip = (kind: keyof typeof SLIP_RATES) => random.chance(SLIP_RATES[kind] * slips)
  let words = rightWords(request, random, (word, kind) => {
    if (slip('confuse')) return random.pick(neighbours(request, kind))
    if (request.without && slip('letter')) return random.pick(CATEGORIES[kind])
    return word
  })
  if (request.order && slip('unordered')) words = random.shuffle(words)
  if (slip('drop')) words.splice(random.int(words.length), 1)
  else if (slip('extra')) words.splice(random.int(words.length + 1), 0, random.pick(wordsAbout(request)))
  if (words.length > 1 && slip('repeat')) words[words.length - 1] = words[random.int(words.length - 1)] as string
  const before = slip('before') ? random.pick(FLUFF.before).split(' ') : []
  const after = slip('after') ? random.pick(FLUFF.after).split(' ') : []
  return [...before, ...words, ...after, ...(slip('noStop') ? [] : [STOP])].join(' ')
}

/** A right answer's words, each handed through `write` before they are put in order. */
function rightWords(request: Request, random: Random, write: (word: string, kind: Category) => string): string[] {
  const words = request.slots.flatMap((slot) =>
    random
      .shuffle(fitting(request, slot))
      .slice(0, slot.count)
      .map((word) => write(word, random.pick(slot.kinds))),
  )
  return request.order === 'alphabetical' ? words.sort() : words
}

/** Words that are taken for those of a kind by mistake. */
function neighbours(request: Request, kind: Category): readonly string[] {
  return request.family === 'what' ? [NEIGHBOUR[kind]] : CATEGORIES[NEIGHBOUR[kind]]
}

function wordsAbout(request: Request): readonly string[] {
  if (request.family === 'what') return CATEGORY_NAMES
  return request.slots.flatMap(({ kinds }) => kinds.flatMap((kind): string[] => [...CATEGORIES[kind]]))
}
