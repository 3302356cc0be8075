import { z } from 'zod'
import type { BothOrders } from '../alignment/index.js'
import type { Random } from '../runtime/time/random.js'
import { rejection } from './label-rejection.js'
import {
  type AnsweredPrompt,
  askDuels,
  askScores,
  type Duel,
  type Outcome,
  playTournaments,
  type Table,
  tableOf,
} from './label-table.js'
import type { Comparison, Judgment } from './messages.js'
import type { Rater } from './rater.js'

/** How candidates are rated. */
export const labelSchema = z
  .strictObject({
    by: z
      .enum(['points', 'pairs', 'tournament', 'rejection'])
      .default('points')
      .describe('each scored; compared two by two; a knock-out of all; some accepted by reward, and these compared'),
    orders: z.enum(['both', 'one']).default('both').describe('shown in both orders and averaged, or as they come'),
    which: z
      .enum(['all', 'neighbours'])
      .default('all')
      .describe('`pairs`: every two of a prompt, or the first with the second, the third with the fourth, …'),
    accept: z.int().min(2).default(8).describe('`rejection`: candidates accepted of each prompt; RSO 8 of 64'),
    beta: z
      .number()
      .min(0)
      .default(0.5)
      .describe('`rejection`, in units of the rewards: 0 accepts the best, a very great one any'),
    draw: z
      .enum(['rejection', 'gumbel'])
      .default('rejection')
      .describe('`rejection`: RSO’s algorithm, or an exact draw ∝ exp(reward/beta) without replacement'),
    rewards: z
      .enum(['pointwise', 'pairwise'])
      .default('pointwise')
      .describe('`rejection`: the rater’s scores, or logit P(better than a candidate at random) as RSO'),
    rank: z
      .enum(['first-round', 'tournament'])
      .default('first-round')
      .describe('`rejection`: the accepted meet once in random pairs, or in a knock-out'),
  })
  .prefault({})
export type Label = z.output<typeof labelSchema>

export interface LabelledGroup {
  /** One a completion; without score, verdicts or unreadable ones where the rater was not asked to score. */
  readonly judgments: readonly Judgment[]
  /** Absent where there was nothing to compare (`points`). */
  readonly comparisons?: readonly Comparison[] | undefined
  /** Both opinions of each two that were shown in both orders. */
  readonly swaps: readonly BothOrders[]
}

/**
 * Rates the candidates of many prompts as `label` says. The rater is asked about the whole batch at once; in a tournament
 * once a round.
 *
 * Equal texts of a prompt share their score and are never compared: where a rule pairs them, they tie. What the rater could
 * not read has no score, or is an `invalid` comparison. All chance comes from `random` and the prompt's id, so nothing
 * depends on which prompts come together.
 *
 * - `points`: a score each.
 * - `pairs`: comparisons of every two, or of neighbours. In one order, the text that came first is shown first.
 * - `tournament`: the comparisons of a knock-out of the m distinct texts, m − 1 (SLiC-HF).
 * - `rejection`: rewards as scores, and comparisons of the accepted (RSO). A reward from a comparison is logit P with P held
 *   10⁻⁶ from 0 and 1; the baseline's own is 0.
 *
 * @returns one a group, in their order
 * @throws `E_CONFIG` where the rater cannot do what `label` asks of it
 */
export async function labelGroups(
  rater: Rater,
  groups: readonly AnsweredPrompt[],
  label: Label,
  random: Random,
): Promise<LabelledGroup[]> {
  const tables = groups.map((group) => tableOf(group, random))
  switch (label.by) {
    case 'points': {
      const scores = await askScores(rater, tables)
      return tables.map((table, i) => ({ judgments: shared(table, scores[i]), swaps: [] }))
    }
    case 'pairs': {
      const outcomes = await askDuels(rater, tables.map(duelsOf(label)), label.orders)
      return tables.map((table, i) => pairsOf(table, outcomes[i] as Outcome[], label))
    }
    case 'tournament': {
      const games = tables.map((table) => ({ table, players: table.texts.map((_, i) => i), purpose: 'tournament' }))
      const played = await playTournaments(rater, games, label.orders)
      return tables.map((table, i) => metAt(table, played[i] as Outcome[]))
    }
    case 'rejection': {
      const { rewards, played } = await rejection(rater, tables, label)
      return tables.map((table, i) => ({
        ...metAt(table, played[i] as Outcome[]),
        judgments: shared(table, rewards[i]),
      }))
    }
  }
}

/** Judgments of a table's texts handed to all who say the same. */
function shared({ places }: Table, judgments: readonly Judgment[] = []): Judgment[] {
  return places.map((place) => judgments[place] ?? { verdicts: [], unreadable: 0 })
}

const swapsOf = (outcomes: readonly Outcome[]) => outcomes.flatMap(({ swap }) => swap ?? [])

/** Outcomes as comparisons between the first completion of each text. */
function metAt(table: Table, outcomes: readonly Outcome[]): LabelledGroup {
  const holder = (text: number) => table.places.indexOf(text)
  return {
    judgments: shared(table),
    comparisons: outcomes.map(({ first, second, opinion }) => ({
      first: holder(first),
      second: holder(second),
      opinion,
    })),
    swaps: swapsOf(outcomes),
  }
}

/** Completions that a rule pairs, by their indices. */
function pairedBy(which: Label['which'], completions: number): (readonly [number, number])[] {
  if (which === 'neighbours')
    return Array.from({ length: Math.floor(completions / 2) }, (_, i) => [2 * i, 2 * i + 1] as const)
  const all = Array.from({ length: completions }, (_, i) => i)
  return all.flatMap((i) => all.slice(i + 1).map((j) => [i, j] as const))
}

/** The texts of two completions, the one that came first before the other. */
function textsOf({ places }: Table, pair: readonly [number, number]): readonly [number, number] {
  const [a, b] = [places[pair[0]] as number, places[pair[1]] as number]
  return a < b ? [a, b] : [b, a]
}

/** Each two texts that are to be compared, once. */
const duelsOf =
  ({ which }: Label) =>
  (table: Table): Duel[] => {
    const wanted = new Map<string, Duel>()
    for (const pair of pairedBy(which, table.places.length)) {
      const [first, second] = textsOf(table, pair)
      if (first !== second) wanted.set(`${first} ${second}`, { table, first, second, purpose: 'pairs' })
    }
    return [...wanted.values()]
  }

function pairsOf(table: Table, outcomes: readonly Outcome[], { which }: Label): LabelledGroup {
  const found = new Map(outcomes.map((outcome) => [`${outcome.first} ${outcome.second}`, outcome.opinion]))
  const comparisons = pairedBy(which, table.places.length).map(([i, j]): Comparison => {
    const [a, b] = textsOf(table, [i, j])
    const shown = table.places[i] === a ? { first: i, second: j } : { first: j, second: i }
    return { ...shown, opinion: a === b ? 'tie' : (found.get(`${a} ${b}`) ?? 'invalid') }
  })
  return { judgments: shared(table), comparisons, swaps: swapsOf(outcomes) }
}
