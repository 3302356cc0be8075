import { type BothOrders, bothOrders, type Opinion, tournament } from '../alignment/index.js'
import { assert } from '../runtime/kernel/errors.js'
import type { Random } from '../runtime/time/random.js'
import type { Judgment } from './messages.js'
import type { Match, Question, Rater } from './rater.js'

/** What is rated: only texts are looked at. */
export interface AnsweredPrompt {
  readonly promptId: string
  readonly prompt: string
  readonly completions: readonly { readonly text: string }[]
}

/** A group by its distinct texts. */
export interface Table {
  readonly prompt: string
  readonly texts: readonly string[]
  /** [completions]: which of the texts each says. */
  readonly places: readonly number[]
  /** Chance of this prompt's own, whatever prompts come with it. */
  stream(...path: readonly (string | number)[]): Random
}

/** Two texts of a table that are to be compared. */
export interface Duel {
  readonly table: Table
  readonly first: number
  readonly second: number
  /** What the comparison is for: the same two may be asked about twice. */
  readonly purpose: string
}

/** What came of a duel, by its texts' indices. */
export interface Outcome {
  readonly first: number
  readonly second: number
  readonly opinion: Opinion
  readonly swap?: BothOrders | undefined
}

export type Orders = 'both' | 'one'

export function tableOf({ promptId, prompt, completions }: AnsweredPrompt, random: Random): Table {
  const texts = [...new Set(completions.map(({ text }) => text))]
  const placeOf = new Map(texts.map((text, i) => [text, i]))
  return {
    prompt,
    texts,
    places: completions.map(({ text }) => placeOf.get(text) as number),
    stream: (...path) => random.stream(promptId, ...path),
  }
}

/** [tables][texts]; one call. */
export async function askScores(rater: Rater, tables: readonly Table[]): Promise<Judgment[][]> {
  const questions = tables.flatMap(({ prompt, texts, stream }) =>
    texts.map((answer, i): Question => ({ prompt, answer, random: stream(i) })),
  )
  const judgments = questions.length === 0 ? [] : await rater.score(questions)
  assert(judgments.length === questions.length, 'a rater gives one judgment a question')
  return cut(
    judgments,
    tables.map(({ texts }) => texts.length),
  )
}

/** [tables][duels of it]; one call. */
export async function askDuels(
  rater: Rater,
  duels: readonly (readonly Duel[])[],
  orders: Orders,
): Promise<Outcome[][]> {
  const all = duels.flat()
  const matches = all.flatMap((duel) => [
    matchOf(duel, duel.first, duel.second),
    ...(orders === 'both' ? [matchOf(duel, duel.second, duel.first)] : []),
  ])
  const opinions = matches.length === 0 ? [] : await rater.compare(matches)
  assert(opinions.length === matches.length, 'a rater gives one opinion a match')
  const outcomes = all.map(({ first, second }, i): Outcome => {
    if (orders === 'one') return { first, second, opinion: opinions[i] as Opinion }
    const swap = { ab: opinions[2 * i] as Opinion, ba: opinions[2 * i + 1] as Opinion }
    return { first, second, opinion: bothOrders(swap.ab, swap.ba), swap }
  })
  return cut(
    outcomes,
    duels.map(({ length }) => length),
  )
}

function matchOf({ table, purpose }: Duel, first: number, second: number): Match {
  return {
    prompt: table.prompt,
    first: table.texts[first] as string,
    second: table.texts[second] as string,
    random: table.stream(purpose, first, second),
  }
}

/** Who plays a knock-out: texts of a table, in the order of their places in it. */
export interface Game {
  readonly table: Table
  readonly players: readonly number[]
  readonly purpose: string
}

/** [games]: every match that was played; one call a round, for all games together. */
export async function playTournaments(rater: Rater, games: readonly Game[], orders: Orders): Promise<Outcome[][]> {
  const plays = games.map(({ players }) => (players.length < 2 ? undefined : tournament(players.length)))
  const played = games.map((): Outcome[] => [])
  let rounds = plays.map((play) => play?.next())
  while (rounds.some((round) => round?.done === false)) {
    const duels = games.map(({ table, players, purpose }, i) => {
      const round = rounds[i]
      if (round?.done !== false) return []
      return round.value.map(
        ([a, b]): Duel => ({ table, purpose, first: players[a] as number, second: players[b] as number }),
      )
    })
    const outcomes = await askDuels(rater, duels, orders)
    rounds = rounds.map((round, i) => {
      const met = outcomes[i] as Outcome[]
      played[i]?.push(...met)
      return round?.done === false ? plays[i]?.next(met.map(({ opinion }) => opinion)) : round
    })
  }
  return played
}

function cut<T>(items: readonly T[], lengths: readonly number[]): T[][] {
  let next = 0
  return lengths.map((length) => {
    next += length
    return items.slice(next - length, next)
  })
}
