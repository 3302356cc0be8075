import { gumbelTopK, probabilityOf, randomPairs, rejectionSample } from '../alignment/index.js'
import { askDuels, askScores, type Duel, type Outcome, playTournaments, type Table } from './label-table.js'
import type { Label } from './labelling.js'
import type { Judgment } from './messages.js'
import type { Rater } from './rater.js'

/** Nearest that a probability counts to 0 or 1, so that a hard verdict's logit is a number: ±13.8. */
const NEAREST = 1e-6

/**
 * RSO's labelling (Liu et al. 2023, arXiv:2309.06657): rewards of all candidates, `accept` of them drawn by their rewards,
 * and these compared in random pairs, each in one (first-round), or in a knock-out.
 *
 * @returns [tables][texts] rewards and [tables] comparisons
 */
export async function rejection(
  rater: Rater,
  tables: readonly Table[],
  label: Label,
): Promise<{ rewards: Judgment[][]; played: Outcome[][] }> {
  const rewards = await (label.rewards === 'pointwise'
    ? askScores(rater, tables)
    : againstBaselines(rater, tables, label))
  const draw = label.draw === 'gumbel' ? gumbelTopK : rejectionSample
  const accepted = tables.map(({ stream }, i) =>
    draw(
      (rewards[i] as Judgment[]).map(({ score }) => score),
      { count: label.accept, beta: label.beta },
      stream('accept'),
    ),
  )
  if (label.rank === 'tournament') {
    const games = tables.map((table, i) => ({
      table,
      players: table.stream('order').shuffle(accepted[i] as number[]),
      purpose: 'rank',
    }))
    return { rewards, played: await playTournaments(rater, games, label.orders) }
  }
  const duels = tables.map((table, i) =>
    randomPairs(accepted[i] as number[], table.stream('order')).map(
      ([first, second]): Duel => ({ table, first, second, purpose: 'rank' }),
    ),
  )
  return { rewards, played: await askDuels(rater, duels, label.orders) }
}

/** logit P(better than a text at random); the baseline itself has logit ½ = 0. */
async function againstBaselines(rater: Rater, tables: readonly Table[], label: Label): Promise<Judgment[][]> {
  const baselines = tables.map(({ texts, stream }) => stream('baseline').int(Math.max(1, texts.length)))
  const duels = tables.map((table, i) =>
    table.texts.flatMap((_, first): Duel[] => {
      const second = baselines[i] as number
      return first === second ? [] : [{ table, first, second, purpose: 'reward' }]
    }),
  )
  const outcomes = await askDuels(rater, duels, label.orders)
  return tables.map(({ texts }, i) => {
    const rewards = (outcomes[i] as Outcome[]).map(({ opinion }) => rewardOf(probabilityOf(opinion)))
    return texts.length === 0 ? [] : rewards.toSpliced(baselines[i] as number, 0, rewardOf(0.5))
  })
}

function rewardOf(probability: number | undefined): Judgment {
  if (probability === undefined) return { verdicts: [], unreadable: 1 }
  const held = Math.min(1 - NEAREST, Math.max(NEAREST, probability))
  const score = Math.log(held) - Math.log1p(-held)
  return { score, verdicts: [score], unreadable: 0 }
}
