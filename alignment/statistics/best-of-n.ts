/**
 * KL(best of n ‖ reference) = log n − (n − 1)/n, in nats: exact where no two rewards are equal, else an upper bound (Beirami
 * et al. 2024, arXiv:2401.01879).
 */
export function bestOfNKl(n: number): number {
  return Math.log(n) - (n - 1) / n
}

/** Probability that the best of n beats one sample of the reference, n/(n + 1): exact where no two rewards are equal, ties half. */
export function bestOfNWinRate(n: number): number {
  return n / (n + 1)
}
