import {
  fitBestOfN,
  fitPairs,
  fitReinforcement,
  klDivergence,
  optimalPolicy,
  preferenceLoss,
} from '../../../alignment/index.js'
import { seededRandom } from '../../../runtime/time/index.js'
import { above } from '../check.js'
import type { Claim, Figures } from '../claim.js'
import { expectation, type LetterWorld, letterWorld, linear } from './letters.js'

const SIZES = Array.from({ length: 17 }, (_, i) => 2 ** i)
const PAIRS = [250, 1000, 4000]
const [FEW, MANY] = [250, 4000]
/** Of an optimal policy ∝ ref·exp(t·proxy): t in steps of its distance, up to about 10 nats. */
const SHARPNESS = Array.from({ length: 40 }, (_, i) => 0.1 * (i + 1))

interface Point {
  /** √KL to the reference. */
  readonly d: number
  readonly proxy: number
  readonly gold: number
}

const of = (name: string) => (f: Figures) => f[name] ?? Number.NaN

/** C34. */
export const overOptimisationClaim: Claim = {
  id: 'C34',
  title: 'Over-optimisation of a learned proxy',
  statement:
    'Under optimisation of a proxy its score rises, gold rises and then falls: d(α − βd) for best of n, d(α − β log d) for reinforcement, d = √KL. Larger proxies and more pairs put the peak higher and later.',
  paper:
    'Gao et al. 2023, figs. 1, 3: proxies 3M to 3B on 100k pairs; toy replication with letter strings: the proxy of 250 pairs peaks at n = 512, then falls',
  setup: `Letter strings, n = 1 to ${SIZES.at(-1)}, everything but the pairs enumerated. Proxies: Bradley–Terry of 3 features (coarse) or 13 (fine) on ${PAIRS.join(', ')} pairs that people labelled with noise. Reinforcement: the exact optimum ∝ ref·exp(t·proxy).`,
  seeds: 20,
  checks: [
    above(`coarse, ${MANY} pairs: proxy at the last n less proxy where gold is greatest, sd`, of('proxyRise'), 0),
    above(`coarse, ${MANY} pairs: gold at its peak less gold at the last n, sd`, of('goldFall'), 0.05),
    above('share of gold explained by d(α − βd), best of n, least of all proxies', of('fitBestOfN'), 0.9),
    above('share of gold explained by d(α − β log d), reinforcement, least of all proxies', of('fitRl'), 0.9),
    above(`gold at the peak, fine less coarse, ${MANY} pairs, sd`, of('peakBySize'), 0),
    above(`log2 n at the peak, fine less coarse, ${MANY} pairs`, of('laterBySize'), 0),
    above(`gold at the peak, fine, ${MANY} less ${FEW} pairs, sd`, of('peakByPairs'), 0),
    above(`log2 n at the peak, fine, ${MANY} less ${FEW} pairs`, of('laterByPairs'), 0),
  ],
  notes:
    'In a first world, in which one string of nine had the greatest length, the coarse proxy saw the surplus and gold did not fall. Not tried here: that a KL penalty leaves the frontier where it is (for an exact optimum it does so by construction), the threshold of 2,000 pairs, and epochs against new data.',
  async experiment({ seed, backend }) {
    const random = seededRandom(seed, 'C34')
    const world = letterWorld(random.stream('world'))
    const draws = random.stream('pairs')
    const labelled = Array.from({ length: Math.max(...PAIRS) }, () => {
      const [a, b] = [world.draw(draws), world.draw(draws)]
      return draws.chance(world.preference(a, b)) ? ([a, b] as const) : ([b, a] as const)
    })
    const figures: Record<string, number> = {}
    const fits: Record<'bestOfN' | 'rl', number[]> = { bestOfN: [], rl: [] }
    for (const kind of ['coarse', 'fine'] as const)
      for (const count of PAIRS) {
        const pairs = labelled.slice(0, count)
        const features = world[kind]
        const [chosen, rejected] = [pairs.map(([a]) => features[a]!), pairs.map(([, b]) => features[b]!)]
        const loss = preferenceLoss({ name: 'dpo', beta: 1 })
        const proxy = linear(features, await fitPairs({ loss, chosen, rejected, decay: 1 / count, backend }))
        const [best, rl] = [bestOfNPoints(world, proxy), optimumPoints(world, proxy)]
        const peak = best.reduce((top, point, i) => (point.gold > best[top]!.gold ? i : top), 0)
        const name = `${kind}${count}`
        figures[`${name}Peak`] = best[peak]!.gold
        figures[`${name}PeakLog2N`] = peak
        figures[`${name}Last`] = best.at(-1)!.gold
        figures[`${name}ProxyRise`] = best.at(-1)!.proxy - best[peak]!.proxy
        fits.bestOfN.push(
          fitBestOfN(
            best.map(({ d }) => d),
            best.map(({ gold }) => gold),
          ).explained,
        )
        fits.rl.push(
          fitReinforcement(
            rl.map(({ d }) => d),
            rl.map(({ gold }) => gold),
          ).explained,
        )
      }
    const less = (a: string, b: string) => (figures[a] as number) - (figures[b] as number)
    return {
      ...figures,
      proxyRise: figures[`coarse${MANY}ProxyRise`] as number,
      goldFall: less(`coarse${MANY}Peak`, `coarse${MANY}Last`),
      fitBestOfN: Math.min(...fits.bestOfN),
      fitRl: Math.min(...fits.rl),
      peakBySize: less(`fine${MANY}Peak`, `coarse${MANY}Peak`),
      laterBySize: less(`fine${MANY}PeakLog2N`, `coarse${MANY}PeakLog2N`),
      peakByPairs: less(`fine${MANY}Peak`, `fine${FEW}Peak`),
      laterByPairs: less(`fine${MANY}PeakLog2N`, `fine${FEW}PeakLog2N`),
    }
  },
}

/** The exact policy of the best of each n: P(best ≤ r) = F(r)^n; among words of equal proxy as the reference has them. */
function bestOfNPoints({ reference, gold }: LetterWorld, proxy: readonly number[]): Point[] {
  const order = proxy.map((_, i) => i).sort((a, b) => proxy[a]! - proxy[b]!)
  const levels: { words: number[]; upTo: number; mass: number }[] = []
  let total = 0
  for (const i of order) {
    const last = levels.at(-1)
    const isSame = last !== undefined && proxy[i]! - proxy[last.words[0]!]! < 1e-9
    const level = isSame ? last : { words: [], upTo: 0, mass: 0 }
    if (!isSame) levels.push(level)
    total += reference[i]!
    level.words.push(i)
    level.mass += reference[i]!
    level.upTo = total
  }
  return SIZES.map((n) => {
    const policy = new Array<number>(reference.length).fill(0)
    let before = 0
    for (const { words, upTo, mass } of levels) {
      const chance = upTo ** n - before
      before = upTo ** n
      for (const i of words) policy[i] = (chance * reference[i]!) / mass
    }
    return pointOf(policy, reference, proxy, gold)
  })
}

const optimumPoints = ({ reference, gold }: LetterWorld, proxy: readonly number[]): Point[] =>
  SHARPNESS.map((t) => pointOf(optimalPolicy(reference, proxy, 1 / t), reference, proxy, gold))

function pointOf(
  policy: readonly number[],
  reference: readonly number[],
  proxy: readonly number[],
  gold: readonly number[],
): Point {
  const d = Math.sqrt(Math.max(0, klDivergence(policy, reference)))
  return { d, proxy: expectation(policy, proxy), gold: expectation(policy, gold) }
}
