import type { Random } from '../../../runtime/time/random.js'
import {
  CATEGORIES,
  CATEGORY_NAMES,
  type Category,
  isCategory,
  kindOf,
  LETTERS,
  type Letter,
  NUMBERS,
} from './vocabulary.js'

/** The seven families of instructions, by what they ask for. */
export const FAMILIES = ['name', 'ordered', 'without', 'both', 'each', 'either', 'what'] as const
type Family = (typeof FAMILIES)[number]

/** One part of what is wanted: `count` different words, of any of `kinds` (of `what`: the name of that kind). */
export interface Slot {
  readonly kinds: readonly Category[]
  readonly count: number
}

/** What an instruction asks for. */
export interface Request {
  readonly family: Family
  readonly slots: readonly Slot[]
  /** `alphabetical`; `given`: slots in their order; absent: any. */
  readonly order?: 'alphabetical' | 'given'
  /** No word may contain it. */
  readonly without?: Letter
}

/** Words wanted in all: 2 to 5. */
export const wantedCount = (request: Request): number => request.slots.reduce((sum, { count }) => sum + count, 0)

/** Every word that fits a slot. */
export function fitting(request: Request, slot: Slot): string[] {
  if (request.family === 'what') return [...slot.kinds]
  const all = slot.kinds.flatMap((kind): string[] => [...CATEGORIES[kind]])
  return request.without ? all.filter((word) => !word.includes(request.without as string)) : all
}

const number = (n: number): string => NUMBERS[n] ?? ''

/** A random request in words; families are equally frequent. */
export function makeRequest(random: Random): string {
  const [a, b, c] = random.shuffle(CATEGORY_NAMES) as [Category, Category, Category]
  switch (random.pick(FAMILIES)) {
    case 'name':
      return `name ${number(2 + random.int(4))} ${a}`
    case 'ordered':
      return `name ${number(2 + random.int(3))} ${a} alphabetically`
    case 'without':
      return `name ${number(2 + random.int(3))} ${a} without ${random.pick(LETTERS)}`
    case 'both': {
      const [i, j] = random.pick(BOTH_COUNTS)
      return `name ${number(i)} ${a} and ${number(j)} ${b}`
    }
    case 'each':
      return `one each ${a} ${b} ${c}`
    case 'either':
      return `name ${number(2 + random.int(3))} ${a} or ${b}`
    case 'what':
      return `what are ${[a, b, c]
        .slice(0, 2 + random.int(2))
        .map((kind) => random.pick(CATEGORIES[kind]))
        .join(' ')} ?`
  }
}

const BOTH_COUNTS = [
  [2, 2],
  [2, 3],
  [3, 2],
] as const

/** Reads a request, or nothing if the words are not one. */
export function parseRequest(words: readonly string[]): Request | undefined {
  if (words[0] === 'what') return parseWhat(words)
  if (words[0] === 'one') return parseEach(words)
  const count = NUMBERS.indexOf(words[1] ?? '')
  const kind = words[2] ?? ''
  if (words[0] !== 'name' || count < 2 || !isCategory(kind)) return undefined
  return parseNamed(count, kind, words.slice(3))
}

function parseNamed(count: number, kind: Category, rest: readonly string[]): Request | undefined {
  const slots = [{ kinds: [kind], count }]
  const [link = '', word = '', other = ''] = rest
  if (rest.length === 0) return { family: 'name', slots }
  if (count > 4) return undefined
  if (rest.length === 1 && link === 'alphabetically') return { family: 'ordered', slots, order: 'alphabetical' }
  if (rest.length === 2 && link === 'without' && isLetter(word)) return { family: 'without', slots, without: word }
  if (rest.length === 2 && link === 'or' && isCategory(word) && word !== kind)
    return { family: 'either', slots: [{ kinds: [kind, word], count }] }
  const second = NUMBERS.indexOf(word)
  if (rest.length !== 3 || link !== 'and' || !isCategory(other) || other === kind) return undefined
  if (!BOTH_COUNTS.some(([i, j]) => i === count && j === second)) return undefined
  return { family: 'both', slots: [...slots, { kinds: [other], count: second }] }
}

const isLetter = (word: string): word is Letter => (LETTERS as readonly string[]).includes(word)

function parseEach(words: readonly string[]): Request | undefined {
  const kinds = words.slice(2).filter(isCategory)
  if (words[1] !== 'each' || words.length !== 5 || new Set(kinds).size !== 3) return undefined
  return { family: 'each', slots: kinds.map((kind) => ({ kinds: [kind], count: 1 })) }
}

function parseWhat(words: readonly string[]): Request | undefined {
  const kinds = words.slice(2, -1).map(kindOf)
  const known = kinds.filter((kind) => kind !== undefined)
  if (words[1] !== 'are' || words.at(-1) !== '?' || known.length !== kinds.length) return undefined
  if (known.length < 2 || known.length > 3 || new Set(known).size !== known.length) return undefined
  return { family: 'what', slots: known.map((kind) => ({ kinds: [kind], count: 1 })), order: 'given' }
}
