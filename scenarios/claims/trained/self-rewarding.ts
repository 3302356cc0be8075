import { scenarios } from '../../index.js'
import { type ArmResult, laid, runArm, type Settings } from '../arms.js'
import { above, below, within } from '../check.js'
import type { Claim, Trial } from '../claim.js'
import { figure, goldOf, lengthsOf, less, numbered } from './figures.js'

/** The least size at which it does everything. */
export const TINY_SELF_REWARDING = {
  demonstrations: { ift: 2000, eft: 4000, prompts: 6000 }, // fewer, and M1 invents no prompt that can be read
  ...{ iterations: [4, 4], promptsPerUpdate: 4, batch: 4 },
  evaluation: { prompts: 4, samples: 2, judgeSet: 8 },
}

/** With the preset of the scenario's own for that scale. */
function selfRewarding(trial: Trial, settings: Settings = {}): Promise<ArmResult> {
  const preset = trial.scale === 'tiny' ? TINY_SELF_REWARDING : scenarios['self-rewarding']?.presets[trial.scale]
  return runArm(trial, 'self-rewarding', laid(preset ?? {}, settings))
}

const SETUP = 'The default world; the preset `quick` of self-rewarding, from scratch, two iterations.'
const accuraciesOf = ({ summary }: ArmResult) => summary.iterations.map(({ judge }) => judge.pairAccuracy ?? Number.NaN)
const pairsOf = ({ summary }: ArmResult) => summary.iterations.map(({ pairs }) => pairs)

/** C25. */
export const bothAxesClaim: Claim = {
  id: 'C25',
  title: 'Self-rewarding improves writing and judging',
  statement: 'M1 < M2 < M3, as a writer and as a judge, without new judge data.',
  paper: 'Self-Rewarding (Yuan et al. 2024): win rate 9.94, 15.38, 20.44 %; judge’s pair accuracy 78.7, 80.4, 81.7 %',
  setup: SETUP,
  checks: [
    above('gold of M2 less M1, points', less('gold2', 'gold1'), 0),
    above('gold of M3 less M2, points', less('gold3', 'gold2'), 0),
    above('judge’s pair accuracy of M3 less M1', less('judge3', 'judge1'), 0),
  ],
  async experiment(trial) {
    const arm = await selfRewarding(trial)
    return { ...numbered('gold', goldOf(arm)), ...numbered('judge', accuraciesOf(arm)) }
  },
}

/** C26. */
export const judgeDataClaim: Claim = {
  id: 'C26',
  title: 'Judge demonstrations are needed',
  statement:
    'Without demonstrations of judging few pairs are valid; with them M1 judges, and does not answer worse for it.',
  paper:
    'Self-Rewarding (Yuan et al. 2024): 541 and 429 pairs without, 3,964 and 6,942 with; pair accuracy 65.1 → 78.7; against SFT 30.5 – 30.9 %',
  setup: `${SETUP} Once with and once without EFT.`,
  checks: [
    below('pairs of the first iteration without EFT, over those with it', figure('ratio'), 0.5),
    above('judge’s pair accuracy of M1 with EFT', figure('judge'), 0.65),
    within('gold of M1, with EFT less without, points', less('gold', 'goldWithout'), -0.2, 0.2),
  ],
  async experiment(trial) {
    const [taught, untaught] = [await selfRewarding(trial), await selfRewarding(trial, { eft: false })]
    const pairs = pairsOf(taught)[1] ?? Number.NaN
    const pairsWithout = pairsOf(untaught)[1] ?? Number.NaN
    return {
      ...{ pairs, pairsWithout, ratio: pairsWithout / pairs },
      judge: accuraciesOf(taught)[0] ?? Number.NaN,
      gold: goldOf(taught)[0] ?? Number.NaN,
      goldWithout: goldOf(untaught)[0] ?? Number.NaN,
    }
  },
}

/** C29. */
export const lengthBiasClaim: Claim = {
  id: 'C29',
  title: 'Answers grow longer under self-rewarding',
  statement: 'Length grows from iteration to iteration; where the judge has a liking for length, much more so.',
  paper: 'Self-Rewarding (Yuan et al. 2024): 1,092, 1,552, 2,552 of M1, M2, M3',
  setup: `${SETUP} Once as it is, where people who judge take a point off for surplus; once with people who add .5 points for each word beyond what was asked for.`,
  checks: [
    above('length of M3 less M1, tokens', less('length3', 'length1'), 0),
    above('length of M3 less M1 with judges taught to like length, tokens', less('biased3', 'biased1'), 0),
  ],
  notes:
    'The rubric of this world asks for concision and surplus can be seen, so an unbiased judge shortens answers; the second condition shows that the mechanism is there.',
  async experiment(trial) {
    const biased = { world: { options: { lengthBias: 0.5 } }, gold: { options: { lengthBias: 0 } } }
    const [plain, liking] = [await selfRewarding(trial), await selfRewarding(trial, biased)]
    return {
      ...numbered('length', lengthsOf(plain)),
      ...numbered('biased', lengthsOf(liking)),
      ...numbered('biasedGold', goldOf(liking)),
    }
  },
}
