import { assert } from '../../runtime/kernel/errors.js'
import type { Random } from '../../runtime/time/index.js'

export interface RejectionOptions {
  /** How many to accept; RSO accepts 8 of 64. Fewer where there are not so many different candidates. */
  readonly count: number
  /** β: 0 takes the best, Infinity takes any. RSO 0.5. */
  readonly beta: number
  /** What makes two candidates the same, e.g. their texts; equal ones count once. Default: all are different. */
  readonly keys?: readonly (string | number)[]
}

/** exp((r_i − max r)/β) of each: with which probability a pass of {@link rejectionSample} accepts it. */
export function acceptanceProbabilities(rewards: readonly number[], beta: number): number[] {
  const greatest = Math.max(...rewards)
  return rewards.map((reward) => (reward === greatest ? 1 : Math.exp((reward - greatest) / beta)))
}

/**
 * Statistical rejection sampling (RSO, Liu et al. 2023, arXiv:2309.06657, algorithm 1): accepts candidates of the SFT policy
 * as if the optimal policy ∝ ref·exp(r/β) had written them.
 *
 * Passes over the candidates that are left, in a random order: each is accepted with probability exp((r − max r)/β), where
 * the maximum is over those **not yet accepted**, until there are enough. At least one is accepted a pass. The order must be
 * random: sorted by reward the sampler can prefer the worst. For a finite pool it is sharper than softmax(r/β);
 * {@link gumbelTopK} is the exact draw.
 *
 * @param rewards pointwise, in the units of β: RSO's are logit ρ(x, y, y_b) of a pairwise ranker ρ against a baseline y_b.
 * Those that are undefined or NaN are never accepted
 * @returns indices, in the order of acceptance
 */
export function rejectionSample(
  rewards: readonly (number | undefined)[],
  options: RejectionOptions,
  random: Random,
): number[] {
  const { count, beta } = options
  let left = random.shuffle(different(rewards, options.keys))
  const rewardOf = (i: number) => rewards[i] as number
  if (beta === 0) return left.sort((a, b) => rewardOf(b) - rewardOf(a)).slice(0, count)
  const accepted: number[] = []
  while (accepted.length < count && left.length > 0) {
    const chances = acceptanceProbabilities(left.map(rewardOf), beta)
    const taken = new Set(left.filter((_, i) => random.float() < (chances[i] as number)))
    assert(taken.size > 0, 'a pass of rejection sampling accepts the greatest reward at least')
    accepted.push(...taken)
    left = left.filter((i) => !taken.has(i))
  }
  return accepted.slice(0, count)
}

/**
 * k candidates without replacement with probabilities ∝ exp(r/β), one after another (Kool et al. 2019, arXiv:1903.06059):
 * the k greatest of r/β + Gumbel noise. The exact form of what {@link rejectionSample} approximates on a pool.
 *
 * @returns indices, as drawn
 */
export function gumbelTopK(
  rewards: readonly (number | undefined)[],
  { count, beta, keys }: RejectionOptions,
  random: Random,
): number[] {
  return random
    .shuffle(different(rewards, keys))
    .map((i) => {
      const reward = rewards[i] as number
      const gumbel = -Math.log(-Math.log1p(-random.float())) // −log of a standard exponential number
      return { i, value: beta === 0 ? reward : reward / beta + gumbel }
    })
    .sort((a, b) => b.value - a.value)
    .slice(0, count)
    .map(({ i }) => i)
}

/** Indices of readable rewards, the first of each key. */
function different(rewards: readonly (number | undefined)[], keys?: readonly (string | number)[]): number[] {
  const seen = new Set<string | number>()
  return rewards.flatMap((reward, i) => {
    const key = keys?.[i] ?? i
    if (reward === undefined || Number.isNaN(reward) || seen.has(key)) return []
    seen.add(key)
    return [i]
  })
}
