import { fitPairs, optimalPolicy, type PreferenceLossChoice, preferenceLoss } from '../../../alignment/index.js'
import { seededRandom } from '../../../runtime/time/index.js'
import { above, within } from '../check.js'
import type { Claim } from '../claim.js'
import { expectation, type LetterWorld, letterWorld, linear } from './letters.js'

const [PAIRS, FLIPS, SMOOTHING, BETA] = [30_000, 0.3, 0.1, 1]
const LOSSES = {
  dpo: { name: 'dpo', beta: BETA },
  cdpo: { name: 'cdpo', beta: BETA, labelSmoothing: FLIPS },
  robust: { name: 'robust-dpo', beta: BETA, flipRate: FLIPS },
} as const satisfies Record<string, PreferenceLossChoice>

type Pair = readonly [chosen: number, rejected: number]

/** C15. */
export const labelNoiseClaim: Claim = {
  id: 'C15',
  title: 'Flipped labels: cDPO stops, robust DPO is unbiased, plain DPO suffers most',
  statement:
    'cDPO stops at σ(βh) = 1 − ε; robust DPO fitted to flipped labels finds what DPO finds on the right ones; with 30 % of labels flipped plain DPO loses most.',
  paper:
    'cDPO (Mitchell 2023) and robust DPO (Chowdhury et al. 2024): exact stationary points; no figures of language models are asked for',
  setup: `Letter strings: ${PAIRS} pairs of the reference, labelled by people, then 30 % flipped; log-linear policies, exact gold scores (reference 0, sd 1). What is lost: gold of DPO on the right labels less gold of each loss on the flipped ones.`,
  seeds: 10,
  checks: [
    within('cDPO (ε = .1) on labels that never err: σ(βh)', (f) => f.cdpoStop ?? Number.NaN, 0.899, 0.901),
    within(
      'robust DPO on flipped labels: slope of its log-ratios on those of DPO on right labels',
      (f) => f.robustSlope ?? Number.NaN,
      0.9,
      1.1,
    ),
    within('plain DPO on flipped labels: the same slope', (f) => f.dpoSlope ?? Number.NaN, 0, 0.6),
    above(
      'gold lost by DPO less that lost by robust DPO, sd',
      (f) => (f.dpoLost ?? Number.NaN) - (f.robustLost ?? Number.NaN),
      0,
    ),
    above(
      'gold lost by DPO less that lost by cDPO, sd',
      (f) => (f.dpoLost ?? Number.NaN) - (f.cdpoLost ?? Number.NaN),
      0,
    ),
  ],
  async experiment({ seed, backend }) {
    const random = seededRandom(seed, 'C15')
    const world = letterWorld(random.stream('world'))
    const draws = random.stream('pairs')
    const right = Array.from({ length: PAIRS }, (): Pair => {
      const [a, b] = [world.draw(draws), world.draw(draws)]
      return draws.chance(world.preference(a, b)) ? [a, b] : [b, a]
    })
    const flipped = right.map(([a, b]): Pair => (draws.chance(FLIPS) ? [b, a] : [a, b]))
    const figures: Record<string, number> = {}
    const thetas: Record<string, readonly number[]> = {}
    for (const [name, choice] of Object.entries(LOSSES))
      for (const [labels, pairs] of Object.entries({ right, flipped })) {
        const theta = await fitPairs({
          ...featuresOf(world, pairs),
          loss: preferenceLoss(choice),
          steps: 1000,
          backend,
        })
        const policy = optimalPolicy(world.reference, linear(world.fine, theta), 1)
        thetas[`${name}-${labels}`] = theta
        figures[`${name}-${labels}`] = expectation(policy, world.gold)
      }
    const lost = (name: string) => (figures['dpo-right'] as number) - (figures[`${name}-flipped`] as number)
    const cdpo = preferenceLoss({ name: 'cdpo', beta: BETA, labelSmoothing: SMOOTHING })
    const [theta] = await fitPairs({ chosen: [[1]], rejected: [[0]], loss: cdpo, steps: 1000, backend })
    return {
      ...figures,
      cdpoStop: 1 / (1 + Math.exp(-BETA * (theta as number))),
      robustSlope: slopeOf(world, thetas['robust-flipped']!, thetas['dpo-right']!),
      dpoSlope: slopeOf(world, thetas['dpo-flipped']!, thetas['dpo-right']!),
      ...{ dpoLost: lost('dpo'), cdpoLost: lost('cdpo'), robustLost: lost('robust') },
    }
  },
}

function featuresOf({ fine }: LetterWorld, pairs: readonly Pair[]) {
  return { chosen: pairs.map(([a]) => fine[a]!), rejected: pairs.map(([, b]) => fine[b]!) }
}

/** The least-squares s of a ≈ s·b + c, of what two fits say of the words that the reference writes. */
function slopeOf({ fine, reference }: LetterWorld, a: readonly number[], b: readonly number[]): number {
  const centred = (theta: readonly number[]) => {
    const scores = linear(fine, theta)
    const mean = expectation(reference, scores)
    return scores.map((score) => score - mean)
  }
  const [ours, theirs] = [centred(a), centred(b)]
  const covariance = (x: readonly number[]) =>
    expectation(
      reference,
      x.map((value, i) => value * theirs[i]!),
    )
  return covariance(ours) / covariance(theirs)
}
