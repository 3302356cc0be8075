import { type Battle, judgmentPair, mostDisputed, type Opinion } from '../alignment/index.js'
import type { JudgedGroup, WrittenJudgment } from './messages.js'

/** The answer of a group that its judge agrees least with itself about, and the judgments of it that are to be compared. */
export interface Dispute {
  readonly group: JudgedGroup
  readonly answer: string
  /** Readable judgments that say different things, in the order in which they were written. */
  readonly players: readonly (WrittenJudgment & { readonly score: number })[]
  /** Every two of them, each shown first once. */
  readonly battles: readonly Pick<Battle, 'first' | 'second'>[]
}

/** Undefined where no answer was given two different scores. */
export function disputeOf(group: JudgedGroup): Dispute | undefined {
  const index = mostDisputed(group.judgments.map(({ verdicts }) => verdicts))
  if (index === undefined) return undefined
  const players = distinct(group.judgments[index]?.texts ?? [])
  if (new Set(players.map(({ score }) => score)).size < 2) return undefined
  const battles = players.flatMap((_, first) =>
    players.flatMap((_, second) => (first === second ? [] : [{ first, second }])),
  )
  return { group, answer: group.completions[index]?.text ?? '', players, battles }
}

function distinct(texts: readonly WrittenJudgment[]): Dispute['players'] {
  const readable = texts.flatMap((judgment) => {
    const { score } = judgment
    return score === undefined ? [] : [{ ...judgment, score }]
  })
  return readable.filter(({ text }, i) => readable.findIndex((other) => other.text === text) === i)
}

export const opinionOf = (preferred: 'first' | 'second' | undefined): Opinion => preferred ?? 'invalid'

/** The best judgment and the worst by one opinion a battle, or why there is no pair. */
export function settle({ players, battles }: Dispute, opinions: readonly Opinion[], maxLength: number) {
  const fought = battles.map((battle, i): Battle => ({ ...battle, opinion: opinions[i] ?? 'invalid' }))
  const choice = judgmentPair(
    fought,
    players.map(({ tokens }) => tokens.length),
    maxLength,
  )
  if ('dropped' in choice) return choice.dropped
  const [chosen, rejected] = [players[choice.chosen], players[choice.rejected]]
  return chosen && rejected ? { chosen, rejected } : 'tie'
}

/** A group whose judgments have lost their texts, which nobody after the meta-judge reads. */
export function judgmentsOf(group: JudgedGroup): JudgedGroup {
  return { ...group, judgments: group.judgments.map(({ texts: _, ...judgment }) => judgment) }
}
