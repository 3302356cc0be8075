export interface TokenRewardOptions {
  /** β of the price β·KL to the reference. */
  readonly beta: number
}

/**
 * Rewards of the tokens of one completion as RLHF shapes them (InstructGPT, Ouyang et al. 2022, arXiv:2203.02155, eq. 2):
 *
 *     r_t = −β(log π_t − log ref_t),  and the score on top of the last
 *
 * Their sum is score − β·(log π(y) − log ref(y)).
 *
 * @param logprobs log π of each token, of the policy that wrote it
 * @param reference log ref of each token
 * @param score of the whole completion
 */
export function tokenRewards(
  logprobs: ArrayLike<number>,
  reference: ArrayLike<number>,
  score: number,
  { beta }: TokenRewardOptions,
): number[] {
  const rewards = Array.from(logprobs, (logprob, t) => -beta * (logprob - (reference[t] as number)))
  if (rewards.length > 0) rewards[rewards.length - 1] = (rewards.at(-1) as number) + score
  return rewards
}

/**
 * (x − mean)/sd over a batch, with the population's sd; `keepMean` only scales. Values that are all equal give zeros (or
 * their mean).
 */
export function whiten(values: readonly number[], { keepMean = false } = {}): number[] {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length
  const scale = 1 / Math.sqrt(variance + 1e-8)
  return values.map((value) => (value - mean) * scale + (keepMean ? mean : 0))
}
