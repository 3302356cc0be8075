/**
 * REINFORCE leave-one-out (Kool et al. 2019; Ahmadian et al. 2024, arXiv:2402.14740): each of the K completions of a prompt
 * has the mean of the others for its baseline, which is unbiased and needs no value head.
 *
 *     A_i = R_i − mean_{j≠i} R_j
 *
 * They sum to 0. A single completion has no others, and advantage 0.
 *
 * @param rewards R of one prompt's completions, the price of KL taken off
 */
export function rlooAdvantages(rewards: readonly number[]): number[] {
  const others = rewards.length - 1
  if (others < 1) return rewards.map(() => 0)
  const total = rewards.reduce((sum, reward) => sum + reward, 0)
  return rewards.map((reward) => reward - (total - reward) / others)
}
