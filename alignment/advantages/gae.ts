export interface GaeOptions {
  /** γ, discount. Default 1: RLHF has none. */
  readonly gamma?: number
  /** λ of the exponential average. Default 0.95. */
  readonly gaeLambda?: number
}

export interface Advantages {
  readonly advantages: number[]
  /** Advantages + values: what the value head learns. */
  readonly returns: number[]
}

/**
 * Generalised advantage estimation over one completion (Schulman et al. 2015, arXiv:1506.02438, eq. 16), which ends with it:
 *
 *     δ_t = r_t + γ·V_{t+1} − V_t,    A_t = δ_t + γλ·A_{t+1},    V past the end = 0
 *
 * λ = 1 gives Σ γ^k r_{t+k} − V_t, λ = 0 gives δ_t.
 *
 * @param rewards of each token, e.g. of `tokenRewards`
 * @param values V_t: before token t was written
 */
export function gae(
  rewards: ArrayLike<number>,
  values: ArrayLike<number>,
  { gamma = 1, gaeLambda = 0.95 }: GaeOptions = {},
): Advantages {
  const advantages = new Array<number>(rewards.length)
  let later = 0
  let nextValue = 0
  for (let t = rewards.length - 1; t >= 0; t--) {
    const value = values[t] as number
    later = (rewards[t] as number) + gamma * nextValue - value + gamma * gaeLambda * later
    advantages[t] = later
    nextValue = value
  }
  return { advantages, returns: advantages.map((advantage, t) => advantage + (values[t] as number)) }
}
