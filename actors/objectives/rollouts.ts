import { gae, probabilityOf, rlooAdvantages, tokenRewards, whiten } from '../../alignment/index.js'
import type { JudgedGroup } from '../messages.js'
import type { GroupOutcome } from '../selection.js'
import type { TrainingConfig } from '../training-config.js'
import { sumOf, type Written } from './objective.js'

/** A completion that policy gradients learn from. */
export interface Rollout extends Written {
  /** Index of its prompt among those of the update. */
  readonly prompt: number
  /** The rater's score, or how often it was preferred where it only compares, less the penalty where it was cut off. */
  readonly score: number
  /** P(it beats its opponent): the mean over its comparisons with opponents; undefined where there are none. */
  readonly preference: number | undefined
}

export interface Priced extends Rollout {
  /** log ref of each token. */
  readonly reference: Float32Array
  /** score − β·(log π − log ref), π its writer. */
  readonly reward: number
  /** log π − log ref of the whole completion. */
  readonly kl: number
}

/** The rollouts of an update: selected completions that the policy itself wrote. */
export function rolloutsOf(
  outcomes: readonly GroupOutcome[],
  written: (group: JudgedGroup, index: number) => Written,
  { missingEosPenalty }: TrainingConfig['policy'],
): Rollout[] {
  return outcomes.flatMap(({ group, selected }, prompt) => {
    if (!('singles' in selected)) return []
    const own = selected.singles.filter((i) => (group.completions[i]?.writer ?? 'policy') === 'policy')
    return own.map((i) => {
      const penalty = group.completions[i]?.finish === 'length' ? missingEosPenalty : 0
      const preference = preferenceOverOpponents(group, i)
      const score = (group.judgments[i]?.score ?? preference ?? 0) - penalty
      return { ...written(group, i), prompt, score, preference }
    })
  })
}

/** A completion's score; how often it was preferred, where it was only compared. */
export const ratingOf = (group: JudgedGroup, index: number): number | undefined =>
  group.judgments[index]?.score ?? preferenceOf(group, index, () => true)

/** Mean of P(it is better) over its comparisons with some of the others. */
function preferenceOf({ comparisons = [] }: JudgedGroup, index: number, counts: (other: number) => boolean) {
  const met = comparisons.flatMap(({ first, second, opinion }) => {
    const probability = probabilityOf(opinion)
    if (probability === undefined || (first !== index && second !== index)) return []
    if (first === index) return counts(second) ? [probability] : []
    return counts(first) ? [1 - probability] : []
  })
  return met.length === 0 ? undefined : sumOf(met) / met.length
}

/** The same against its opponents: what others than the policy wrote; the policy's own where nobody else writes. */
function preferenceOverOpponents(group: JudgedGroup, index: number): number | undefined {
  const isOpponent = group.completions.map(({ writer = 'policy' }) => writer !== 'policy')
  return preferenceOf(group, index, (other) => isOpponent[other] === true || !isOpponent.includes(true))
}

export function price(rollouts: readonly Rollout[], reference: readonly Float32Array[], beta: number): Priced[] {
  return rollouts.map((rollout, i) => {
    const own = reference[i] as Float32Array
    const kl = sumOf(rollout.logprobs) - sumOf(own)
    return { ...rollout, reference: own, kl, reward: rollout.score - beta * kl }
  })
}

/** One advantage a completion: against the others of its prompt, or against the mean of all. */
export function sequenceAdvantages(
  rollouts: readonly Priced[],
  baseline: TrainingConfig['policy']['baseline'],
): number[] {
  if (baseline === 'mean') {
    const mean = sumOf(rollouts.map(({ reward }) => reward)) / Math.max(1, rollouts.length)
    return rollouts.map(({ reward }) => reward - mean)
  }
  const advantages = new Array<number>(rollouts.length).fill(0)
  for (const prompt of new Set(rollouts.map((rollout) => rollout.prompt))) {
    const members = rollouts.flatMap((rollout, i) => (rollout.prompt === prompt ? [i] : []))
    const own = rlooAdvantages(members.map((i) => (rollouts[i] as Priced).reward))
    members.forEach((i, k) => {
      advantages[i] = own[k] as number
    })
  }
  return advantages
}

/** Advantages and returns of every token, from the values before it; advantages whitened over the whole batch where asked. */
export function tokenAdvantages(
  rollouts: readonly Priced[],
  values: readonly Float32Array[],
  { kl: beta, gaeLambda, whiten: isWhitened }: TrainingConfig['policy'],
) {
  const each = rollouts.map(({ logprobs, reference, score }, i) =>
    gae(tokenRewards(logprobs, reference, score, { beta }), values[i] as Float32Array, { gaeLambda }),
  )
  const flat = each.flatMap(({ advantages }) => advantages)
  const scaled = isWhitened ? whiten(flat) : flat
  let at = 0
  return each.map(({ advantages, returns }) => {
    at += advantages.length
    return {
      advantages: Float32Array.from(scaled.slice(at - advantages.length, at)),
      returns: Float32Array.from(returns),
    }
  })
}
