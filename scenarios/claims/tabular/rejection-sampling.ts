import {
  acceptanceProbabilities,
  fitPairs,
  meanOf,
  optimalPolicy,
  preferenceLoss,
  randomPairs,
  rejectionSample,
} from '../../../alignment/index.js'
import { type Random, seededRandom } from '../../../runtime/time/index.js'
import { above, within } from '../check.js'
import type { Claim, Figures } from '../claim.js'
import { expectation, type LetterWorld, letterWorld, linear } from './letters.js'

const [POOLS, CANDIDATES, ACCEPTED] = [400, 64, 8]
const RANKER_PAIRS = 2000
const BETAS = [0, 0.05, 0.5, 5, Infinity]
const GAMMAS = [0.02, 0.1, 0.5, 2, 10]
const BETA = 0.5

const of = (name: string) => (f: Figures) => f[name] ?? Number.NaN

/** C7. */
export const rejectionSamplingClaim: Claim = {
  id: 'C7',
  title: 'RSO’s two temperatures have an optimum inside',
  statement:
    'β = 0 accepts the best k and β = ∞ any k (exactly); the best β for the pairs, and the best γ for the loss, lie between their extremes.',
  paper: 'RSO (Liu et al. 2023, fig. 3): best β .5 of {0, .05, .5, 5}, best γ .05 of {.005, .05, .5}',
  setup: `Letter strings: ${POOLS} pools of ${CANDIDATES} strings of the reference, ${ACCEPTED} accepted, paired at random and labelled by a ranker of 13 features learned from ${RANKER_PAIRS} pairs; a log-linear policy of 3 features by sigmoid-norm; exact gold scores (reference 0, sd 1). γ in units of this world: ${GAMMAS.join(', ')} at β = ${BETA}; then each β at the best γ.`,
  seeds: 10,
  checks: [
    within('β = 0: share of the accepted that are among the best k', of('bestShare'), 1, 1),
    within('β = ∞: least chance of being accepted', of('anyLeast'), 1, 1),
    above('gold, best β inside less β = 0, sd', of('overZero'), 0),
    above('gold, best β inside less β = ∞, sd', of('overInfinity'), 0),
    above('gold, best γ inside less the smallest γ, sd', of('overSmallGamma'), 0),
    above('gold, best γ inside less the largest γ, sd', of('overLargeGamma'), 0),
  ],
  async experiment({ seed, backend }) {
    const random = seededRandom(seed, 'C7')
    const world = letterWorld(random.stream('world'))
    const reward = await learnedRanker(world, random.stream('ranker'), backend)
    const draws = random.stream('pools')
    const pools = Array.from({ length: POOLS }, () => Array.from({ length: CANDIDATES }, () => world.draw(draws)))
    const figures: Record<string, number> = {}
    const goldOf = async (beta: number, gamma: number) => {
      const accepted = pools.map((pool, i) => accept(pool, reward, beta, random.stream('accept', i)))
      const pairs = accepted.flatMap((words, i) => randomPairs(words, random.stream('pair', i)))
      const ordered = pairs.map(([a, b]) => (reward[a]! >= reward[b]! ? ([a, b] as const) : ([b, a] as const)))
      const theta = await fitPairs({
        loss: preferenceLoss({ name: 'sigmoid-norm', gamma }),
        chosen: ordered.map(([a]) => world.coarse[a]!),
        rejected: ordered.map(([, b]) => world.coarse[b]!),
        rate: 0.1 / gamma,
        backend,
      })
      return expectation(optimalPolicy(world.reference, linear(world.coarse, theta), 1), world.gold)
    }
    for (const gamma of GAMMAS) figures[`gamma${gamma}`] = await goldOf(BETA, gamma)
    const best = GAMMAS.reduce((a, b) => ((figures[`gamma${b}`] as number) > (figures[`gamma${a}`] as number) ? b : a))
    for (const beta of BETAS) figures[`beta${beta}`] = await goldOf(beta, best)
    const inside = (name: string, values: readonly number[]) =>
      Math.max(...values.slice(1, -1).map((value) => figures[`${name}${value}`] as number))
    const [bestBeta, bestGamma] = [inside('beta', BETAS), inside('gamma', GAMMAS)]
    return {
      ...figures,
      bestShare: bestShare(pools, reward, random.stream('limits')),
      anyLeast: Math.min(...pools.flatMap((pool) => acceptanceProbabilities(rewardsOf(pool, reward), Infinity))),
      overZero: bestBeta - (figures.beta0 as number),
      overInfinity: bestBeta - (figures.betaInfinity as number),
      overSmallGamma: bestGamma - (figures[`gamma${GAMMAS[0]}`] as number),
      overLargeGamma: bestGamma - (figures[`gamma${GAMMAS.at(-1)}`] as number),
    }
  },
}

/** A Bradley–Terry ranker of people's pairs, [words], with mean 0 under the reference. */
async function learnedRanker(world: LetterWorld, random: Random, backend: 'onnx' | 'tensorflow' | 'webgpu' | 'cpu') {
  const pairs = Array.from({ length: RANKER_PAIRS }, () => {
    const [a, b] = [world.draw(random), world.draw(random)]
    return random.chance(world.preference(a, b)) ? ([a, b] as const) : ([b, a] as const)
  })
  const [chosen, rejected] = [pairs.map(([a]) => world.fine[a]!), pairs.map(([, b]) => world.fine[b]!)]
  const loss = preferenceLoss({ name: 'dpo', beta: 1 })
  return linear(world.fine, await fitPairs({ loss, chosen, rejected, decay: 1 / RANKER_PAIRS, backend }))
}

/** Words of the pool, different ones, as RSO accepts them. */
function accept(pool: readonly number[], reward: readonly number[], beta: number, random: Random): number[] {
  return rejectionSample(rewardsOf(pool, reward), { count: ACCEPTED, beta, keys: pool }, random).map((i) => pool[i]!)
}

const rewardsOf = (pool: readonly number[], reward: readonly number[]) => pool.map((word) => reward[word] as number)

/** Share of what is accepted with β = 0 that is among the k different words of the greatest reward. */
function bestShare(pools: readonly (readonly number[])[], reward: readonly number[], random: Random): number {
  const shares = pools.map((pool, i) => {
    const best = rewardsOf([...new Set(pool)], reward).sort((a, b) => b - a)
    const least = best[Math.min(ACCEPTED, best.length) - 1] as number
    return meanOf(accept(pool, reward, 0, random.stream(i)).map((word) => Number(reward[word]! >= least)))
  })
  return meanOf(shares)
}
