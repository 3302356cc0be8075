import { type ArmResult, fromM1, laid, runArm } from '../arms.js'
import { above, below, within } from '../check.js'
import type { Claim, Trial } from '../claim.js'
import { goldOf, lastGold, less, rounds } from './figures.js'

const METHODS = {
  ppo: { scenario: 'rlaif', settings: { direct: true, training: { objective: 'ppo' } } },
  rloo: { scenario: 'rlaif', settings: { direct: true } },
  dpo: { scenario: 'oaif', settings: {} },
} as const
/** Updates for which a generation round has to do; samples are up to N − 1 updates old. */
const ROUNDS = [1, 2, 8, 24] as const

async function arm(trial: Trial, method: keyof typeof METHODS, n: number): Promise<ArmResult> {
  const { scenario, settings } = METHODS[method]
  const common = { iterations: rounds(trial, 2, 768), staleness: { max: n - 1, publishEvery: n } }
  return runArm(trial, scenario, laid(await fromM1(trial), laid(settings, common)))
}

/** C35. */
export const stalenessClaim: Claim = {
  id: 'C35',
  title: 'Stale samples cost PPO and RLOO more than online DPO',
  statement:
    'With N updates a round of samples (up to N − 1 updates old) PPO and RLOO get worse as N grows, online DPO least; one step of lag is all but free.',
  paper:
    'Asynchronous RLHF (Noukhovitch et al. 2024, figs. 3, 4): PPO and RLOO fall about as log N, online DPO still learns at N = 64; one step: 57.20 % both',
  setup:
    'The default world; one M1; PPO, RLOO and online DPO on the large annotator’s verdicts; N = 1, 2, 8, 24; 2 × 768 prompts, 48 updates.',
  checks: [
    below('PPO: gold at N = 24 less N = 1, points', less('ppo24', 'ppo1'), 0),
    below('RLOO: gold at N = 24 less N = 1, points', less('rloo24', 'rloo1'), 0),
    above('online DPO: gold at N = 24 less M1, points', less('dpo24', 'm1'), 0),
    above('what PPO loses from N = 1 to 24 less what online DPO loses, points', lossLess('ppo'), 0),
    above('what RLOO loses from N = 1 to 24 less what online DPO loses, points', lossLess('rloo'), 0),
    within('online DPO: gold at N = 2 less N = 1, points', less('dpo2', 'dpo1'), -0.15, 0.15),
  ],
  notes: 'N = 64 of the paper is longer than these runs; lags beyond 24 were not tried.',
  async experiment(trial) {
    const figures: Record<string, number> = {}
    for (const method of Object.keys(METHODS) as (keyof typeof METHODS)[])
      for (const n of ROUNDS) {
        const result = await arm(trial, method, n)
        figures.m1 = goldOf(result)[0] ?? Number.NaN
        figures[`${method}${n}`] = lastGold(result)
      }
    return figures
  },
}

function lossLess(method: string) {
  return (figures: Readonly<Record<string, number>>) =>
    less(`${method}1`, `${method}24`)(figures) - less('dpo1', 'dpo24')(figures)
}
