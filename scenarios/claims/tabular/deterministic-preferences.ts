import { fitPairs, preferenceLoss } from '../../../alignment/index.js'
import { above, within } from '../check.js'
import type { Claim } from '../claim.js'

const BETAS = [0.01, 0.1, 1]
const TAUS = [0.1, 0.5, 1]

const logistic = (x: number) => 1 / (1 + Math.exp(-x))

/** C14. */
export const deterministicPreferencesClaim: Claim = {
  id: 'C14',
  title: 'Preferences that never err: DPO becomes greedy, IPO does not',
  statement:
    'Where one of two answers always wins, DPO drives the other’s probability to 0 for every β; IPO stops at σ(½/τ).',
  paper: 'IPO (Azar et al. 2023, §5): τ = .1 → .9933, .5 → .7311, 1 → .6225; DPO → 1',
  setup: 'Two answers, uniform reference, gradient descent by Adam to the end of a schedule of 4,000 steps.',
  isExact: true,
  checks: [
    above('DPO: least probability of the winner over β = .01, .1, 1', (f) => f.dpoLeast ?? Number.NaN, 0.999),
    within('IPO: largest distance to σ(½/τ) over τ = .1, .5, 1', (f) => f.ipoError ?? Number.NaN, 0, 1e-4),
  ],
  notes:
    'The gap grows as log(steps)/β without end, so a large β takes exponentially longer to be greedy: β = 10 was at .75 after 2,000 steps.',
  async experiment({ backend }) {
    // One feature, 1 for the winner and 0 for the loser: the policy is (σ(θ), 1 − σ(θ)).
    const winnerOf = async (loss: Parameters<typeof preferenceLoss>[0]) => {
      const pair = { chosen: [[1]], rejected: [[0]] }
      const [theta] = await fitPairs({ ...pair, loss: preferenceLoss(loss), steps: 4000, backend })
      return logistic(theta as number)
    }
    const figures: Record<string, number> = {}
    for (const beta of BETAS) figures[`dpo${beta}`] = await winnerOf({ name: 'dpo', beta })
    for (const tau of TAUS) figures[`ipo${tau}`] = await winnerOf({ name: 'ipo', tau })
    return {
      ...figures,
      dpoLeast: Math.min(...BETAS.map((beta) => figures[`dpo${beta}`] as number)),
      ipoError: Math.max(...TAUS.map((tau) => Math.abs((figures[`ipo${tau}`] as number) - logistic(0.5 / tau)))),
    }
  },
}
