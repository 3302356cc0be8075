/** Index of the greatest score, the first of several; undefined where none is readable. */
export function bestOf(scores: readonly (number | undefined)[]): number | undefined {
  let best: number | undefined
  scores.forEach((score, i) => {
    if (score === undefined || Number.isNaN(score)) return
    if (best === undefined || score > (scores[best] as number)) best = i
  })
  return best
}

/** Thresholds of ReST's Improve steps on rewards in [0, 1], as its paper's example has them. */
export const REST_THRESHOLDS: readonly number[] = [0, 0.7, 0.8, 0.9, 0.95, 0.99]

/**
 * What an Improve step of ReST keeps (Gulcehre et al. 2023, arXiv:2308.08998): indices of the rewards strictly above its
 * threshold τ, which rises from step to step. Unreadable rewards are not kept.
 */
export function aboveThreshold(rewards: readonly (number | undefined)[], threshold: number): number[] {
  return rewards.flatMap((reward, i) => (reward !== undefined && reward > threshold ? [i] : []))
}

/**
 * Expected value of the best of n by a proxy, for every n from 1 to N, from one pool of N samples: the mean over all subsets
 * of n of the value of the one that the proxy ranks first, so without bias (Nakano et al. 2021, arXiv:2112.09332;
 * Gao et al. 2023). The i-th smallest proxy is the greatest of C(i − 1, n − 1) of the C(N, n) subsets. Equal proxies are
 * taken in every order alike: each counts with their mean value.
 *
 * @param proxy scores that choose
 * @param values what is reported of the chosen one: gold scores, or the proxy itself
 * @returns [N], entry n − 1 for n
 */
export function bestOfNCurve(proxy: readonly number[], values: readonly number[]): number[] {
  const order = proxy.map((_, i) => i).sort((a, b) => (proxy[a] as number) - (proxy[b] as number))
  const sorted = meansOfTies(order.map((i) => ({ proxy: proxy[i] as number, value: values[i] as number })))
  const total = sorted.length
  return sorted.map((_, index) => {
    const n = index + 1
    let weight = n / total // C(N − 1, n − 1) / C(N, n)
    let sum = 0
    for (let i = total; i >= n; i--) {
      sum += weight * (sorted[i - 1] as number)
      weight *= i > 1 ? (i - n) / (i - 1) : 0 // C(i − 2, n − 1) / C(i − 1, n − 1)
    }
    return sum
  })
}

function meansOfTies(sorted: readonly { readonly proxy: number; readonly value: number }[]): number[] {
  const groups = new Map<number, number[]>()
  for (const { proxy, value } of sorted) groups.set(proxy, [...(groups.get(proxy) ?? []), value])
  const means = new Map([...groups].map(([proxy, list]) => [proxy, list.reduce((a, b) => a + b, 0) / list.length]))
  return sorted.map(({ proxy }) => means.get(proxy) as number)
}
