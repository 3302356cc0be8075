import type { Random } from '../../../runtime/time/index.js'

/** One answer: letters 0 to 2. */
interface Word {
  readonly letters: readonly number[]
  /** Its probability under the reference policy. */
  readonly probability: number
}

/**
 * A world small enough to be enumerated: its answers are the 29,523 strings of one to nine of three letters, written by a
 * reference policy letter by letter. Gold likes some letters and some neighbours, and length up to a point that few strings
 * of the reference pass: a proxy that learns from them that longer is better is wrong about long ones. All expectations are exact sums.
 */
export interface LetterWorld {
  readonly words: readonly Word[]
  /** [words], sums to 1. */
  readonly reference: readonly number[]
  /** [words], mean 0 and standard deviation 1 under the reference. */
  readonly gold: readonly number[]
  /** [words][3]: how often each letter occurs. */
  readonly coarse: readonly (readonly number[])[]
  /** [words][13]: those, the squared length / 8, and how often each two letters are neighbours. */
  readonly fine: readonly (readonly number[])[]
  /** Index of a word that the reference writes. */
  draw(random: Random): number
  /** P(a is preferred to b) by people, Bradley–Terry of gold. */
  preference(a: number, b: number): number
}

const LETTERS = [0.5, 0.3, 0.2]
const VALUES = [-0.5, 0.3, 1]
const [STOP, LONGEST, IDEAL] = [0.45, 9, 4]
const NEIGHBOUR_SPREAD = 0.2
const SURPLUS_COST = 0.6
/** Nats of preference per standard deviation of gold: people agree with it on three pairs of four. */
const SHARPNESS = 1.5

/** Which neighbours gold likes depends on `random`, all else is fixed. */
export function letterWorld(random: Random): LetterWorld {
  const words = allWords()
  const likes = Array.from({ length: LETTERS.length ** 2 }, () => NEIGHBOUR_SPREAD * random.normal())
  const reference = words.map(({ probability }) => probability)
  const gold = standardised(
    words.map(({ letters }) => rawGold(letters, likes)),
    reference,
  )
  const cumulative: number[] = []
  reference.reduce((sum, p, i) => {
    cumulative[i] = sum + p
    return sum + p
  }, 0)
  return {
    words,
    reference,
    gold,
    coarse: words.map(({ letters }) => counts(letters)),
    fine: words.map(({ letters }) => [...counts(letters), letters.length ** 2 / 8, ...neighbours(letters)]),
    draw: (random) => firstAbove(cumulative, random.float()),
    preference: (a, b) => 1 / (1 + Math.exp(-SHARPNESS * ((gold[a] as number) - (gold[b] as number)))),
  }
}

/** Σ p·v. */
export const expectation = (p: readonly number[], values: readonly number[]): number =>
  p.reduce((sum, x, i) => sum + x * (values[i] as number), 0)

/** θ·φ of every word. */
export const linear = (features: readonly (readonly number[])[], theta: readonly number[]): number[] =>
  features.map((row) => row.reduce((sum, value, f) => sum + value * (theta[f] as number), 0))

function allWords(): Word[] {
  const words: Word[] = []
  const grow = (letters: readonly number[], probability: number) => {
    const ends = letters.length === LONGEST ? 1 : STOP
    if (letters.length > 0) words.push({ letters, probability: probability * ends })
    if (letters.length === LONGEST) return
    const goesOn = letters.length === 0 ? 1 : 1 - STOP
    LETTERS.forEach((p, letter) => {
      grow([...letters, letter], probability * goesOn * p)
    })
  }
  grow([], 1)
  return words
}

function rawGold(letters: readonly number[], likes: readonly number[]): number {
  const worth = letters.reduce((sum, letter) => sum + (VALUES[letter] as number), 0)
  const company = neighbours(letters).reduce((sum, count, i) => sum + count * (likes[i] as number), 0)
  return worth + company - SURPLUS_COST * Math.max(0, letters.length - IDEAL) ** 2
}

function counts(letters: readonly number[]): number[] {
  return LETTERS.map((_, letter) => letters.filter((other) => other === letter).length)
}

function neighbours(letters: readonly number[]): number[] {
  const count = new Array<number>(LETTERS.length ** 2).fill(0)
  letters.slice(1).forEach((letter, i) => {
    const at = (letters[i] as number) * LETTERS.length + letter
    count[at] = (count[at] as number) + 1
  })
  return count
}

function standardised(values: readonly number[], reference: readonly number[]): number[] {
  const mean = expectation(reference, values)
  const variance = expectation(
    reference,
    values.map((value) => (value - mean) ** 2),
  )
  return values.map((value) => (value - mean) / Math.sqrt(variance))
}

/** The first index whose cumulative probability is above `at`, by bisection. */
function firstAbove(cumulative: readonly number[], at: number): number {
  let [low, high] = [0, cumulative.length - 1]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((cumulative[middle] as number) > at) high = middle
    else low = middle + 1
  }
  return low
}
