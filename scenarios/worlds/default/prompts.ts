import type { Random } from '../../../runtime/time/random.js'
import { makeRequest, parseRequest, type Request } from './requests.js'
import { CONTEXT_WORDS, type ContextClass, kindOf, WORDS } from './vocabulary.js'

/**
 * Surroundings of a request, that no answer depends on. They make prompts inventable: mostly open-class words, so that
 * two prompts rarely share most of their words. `{item}` is any word of the ten kinds, a mild distraction.
 */
const SKELETONS = {
  before: [
    '{mood} {person} {hobby} in {weather} {place}',
    '{weather} {time} {occasion} with {mood} {person}',
    '{person} from {place} {hobby} {weather} {time}',
    '{mood} {person} with {item}',
  ],
  after: [
    '{mood} {person} at {weather} {occasion}',
    '{person} {hobby} {time} in {place}',
    '{weather} {time} in {place}',
    '{person} from {place} likes {item}',
  ],
} as const

type Slot = ContextClass | 'item'
const ITEMS = WORDS.filter((word) => kindOf(word) !== undefined)
const parts = (skeleton: string) => skeleton.split(' ')
const slotOf = (part: string): Slot | undefined => (part.startsWith('{') ? (part.slice(1, -1) as Slot) : undefined)

function fill(skeleton: string, random: Random): string {
  const words = parts(skeleton).map((part) => {
    const slot = slotOf(part)
    return slot === undefined ? part : random.pick(slot === 'item' ? ITEMS : CONTEXT_WORDS[slot])
  })
  return words.join(' ')
}

function fits(skeleton: string, words: readonly string[]): boolean {
  const pattern = parts(skeleton)
  return (
    pattern.length === words.length &&
    pattern.every((part, i) => {
      const word = words[i] as string
      const slot = slotOf(part)
      if (slot === undefined) return part === word
      return slot === 'item' ? kindOf(word) !== undefined : CONTEXT_WORDS[slot].includes(word)
    })
  )
}

/** A random prompt: `context : request` or `request , context`. */
export function makePrompt(random: Random): string {
  const request = makeRequest(random)
  const before = random.chance(0.5)
  const context = fill(random.pick(before ? SKELETONS.before : SKELETONS.after), random)
  return before ? `${context} : ${request}` : `${request} , ${context}`
}

/** Reads a prompt, or says why it is not one. */
export function parsePrompt(text: string): { readonly request: Request } | { readonly malformed: string } {
  const words = text.split(' ').filter((word) => word !== '')
  if (words.length === 0) return { malformed: 'empty' }
  const cut = words.findIndex((word) => word === ':' || word === ',')
  if (cut < 0) return { malformed: 'no context' }
  const before = words[cut] === ':'
  const [head, tail] = [words.slice(0, cut), words.slice(cut + 1)]
  const request = parseRequest(before ? tail : head)
  if (!request) return { malformed: 'no request' }
  const context = before ? head : tail
  if (!SKELETONS[before ? 'before' : 'after'].some((skeleton) => fits(skeleton, context)))
    return { malformed: 'no such context' }
  return { request }
}
