import { fromM1, laid, runArm } from '../arms.js'
import { above, below } from '../check.js'
import type { Claim } from '../claim.js'
import { goldOf, lastGold, less, numbered, partsOf, rounds } from './figures.js'

const GROWS = 4
const PRICES = [0, 0.05, 2] as const

/** C38. */
export const growClaim: Claim = {
  id: 'C38',
  title: 'ReST: the reward rises with every Grow, quality does not',
  statement: 'More Grow steps raise the reward model’s score; quality itself is best after one.',
  paper: 'ReST (Gulcehre et al. 2023): reward rises with each Grow; people prefer the policy after one (one source)',
  setup: `The default world; one M1; ${GROWS} Grow steps of 384 prompts, 8 samples each, three Improve steps after each.`,
  checks: [
    above('reward model’s score of the samples, last Grow less first', less(`score${GROWS}`, 'score1'), 0),
    above('gold after one Grow less M1, points', less('gold2', 'gold1'), 0),
    below(`gold after ${GROWS} Grows less after one, points`, less(`gold${GROWS + 1}`, 'gold2'), 0),
  ],
  async experiment(trial) {
    const rest = await runArm(trial, 'rest', laid(await fromM1(trial), { iterations: rounds(trial, GROWS, 384) }))
    return { ...numbered('gold', goldOf(rest)), ...numbered('score', partsOf(rest, 'reward-model/score', GROWS)) }
  },
}

/** C40. */
export const priceOfKlClaim: Claim = {
  id: 'C40',
  title: 'The price of KL has an optimum inside',
  statement: 'A little price of KL is better than none and than much.',
  paper: 'InstructGPT (Ouyang et al. 2022, app. E.7): best β .01 to .02; 0 and 2 are both bad',
  setup:
    'The default world; one M1; RLHF with PPO, β = 0, .05, 2; 2 × 768 prompts. That KL cannot mend what fine-tuning costs elsewhere, and a pretraining mix can, was not tried: this world has no other tasks.',
  checks: [
    above('gold, β = .05 less β = 0, points', less('kl0.05', 'kl0'), 0),
    above('gold, β = .05 less β = 2, points', less('kl0.05', 'kl2'), 0),
  ],
  async experiment(trial) {
    const m1 = laid(await fromM1(trial), { iterations: rounds(trial, 2, 768) })
    const figures: Record<string, number> = {}
    for (const kl of PRICES) {
      const arm = await runArm(trial, 'rlhf', laid(m1, kl === 0.05 ? {} : { training: { policy: { kl } } }))
      figures.m1 = goldOf(arm)[0] ?? Number.NaN
      figures[`kl${kl}`] = lastGold(arm)
      figures[`distance${kl}`] = arm.summary.iterations.at(-1)?.kl ?? Number.NaN
    }
    return figures
  },
}

/** C4. */
export const sequentialClaim: Claim = {
  id: 'C4',
  title: 'PPO after rejection sampling',
  statement: 'Rejection-sampling fine-tuning followed by PPO beats rejection sampling alone.',
  paper: 'Llama 2 (Touvron et al. 2023, fig. 11): RLHF-v5 with PPO above RLHF-v5 without',
  setup: 'The default world; one M1; three rounds of 512 prompts, the last one by imitation or by PPO.',
  checks: [above('gold at the end, with PPO less without, points', less('ppo', 'imitation'), 0)],
  async experiment(trial) {
    const m1 = laid(await fromM1(trial), { iterations: rounds(trial, 3, 512) })
    const imitation = await runArm(trial, 'rejection-sampling', m1)
    // biome-ignore lint/suspicious/noThenProperty: a key of the configuration, which is never awaited
    const ppo = await runArm(trial, 'rejection-sampling', laid(m1, { then: 'ppo' }))
    return { m1: goldOf(ppo)[0] ?? Number.NaN, imitation: lastGold(imitation), ppo: lastGold(ppo) }
  },
}
