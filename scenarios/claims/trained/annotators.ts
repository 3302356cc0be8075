import { type ArmResult, fromM1, laid, runArm, type Settings } from '../arms.js'
import { above, within } from '../check.js'
import type { Claim, Trial } from '../claim.js'
import { goldOf, lastGold, lengthsOf, less, rounds } from './figures.js'

async function oaif(trial: Trial, annotator: Settings): Promise<ArmResult> {
  const settings = { iterations: rounds(trial, 2, 768), annotator: { options: annotator } }
  return runArm(trial, 'oaif', laid(await fromM1(trial), settings))
}

const lastLength = (arm: ArmResult) => lengthsOf(arm).at(-1) ?? Number.NaN

/** C21. */
export const annotatorStrengthClaim: Claim = {
  id: 'C21',
  title: 'The better the annotator, the better the policy; a weak one still helps',
  statement: 'Online feedback of a larger annotator gives a better policy, and that of the smallest still beats SFT.',
  paper: 'OAIF (Guo et al. 2024, §4.5, fig. 5): L > S > XS; quality with the XS annotator 3.41, RLHF 3.38, above SFT',
  setup:
    'The default world; one M1; OAIF with annotators that get each criterion wrong with chance .1, .2, .3 (they agree with gold on 88, 76, 66 % of pairs in both orders); 48 updates of 32 pairs.',
  checks: [
    above('gold, large less medium annotator, points', less('large', 'medium'), 0),
    above('gold, medium less small annotator, points', less('medium', 'small'), 0),
    above('gold, small annotator less M1, points', less('small', 'm1'), 0),
  ],
  async experiment(trial) {
    const [large, medium, small] = [
      await oaif(trial, { strength: 'large' }),
      await oaif(trial, { strength: 'medium' }),
      await oaif(trial, { strength: 'small' }),
    ]
    return {
      m1: goldOf(large)[0] ?? Number.NaN,
      ...{ large: lastGold(large), medium: lastGold(medium), small: lastGold(small) },
    }
  },
}

/** C23. */
export const instructionClaim: Claim = {
  id: 'C23',
  title: 'An instruction to the annotator controls length',
  statement:
    'Telling the annotator to prefer shorter answers makes them shorter, the more so the more it is told, at a price in quality; they stay above SFT. No reward model is trained again.',
  paper: 'OAIF (Guo et al. 2024, §4.6): about 120, 90, 40 tokens; quality 4.08, 3.72, 3.26, SFT 3.19',
  setup: 'As C21 with the large annotator, told nothing, “prefer shorter” or “prefer much shorter”.',
  checks: [
    above('length, told nothing less “prefer shorter”, tokens', less('length', 'lengthShorter'), 0),
    above('length, “prefer shorter” less “prefer much shorter”, tokens', less('lengthShorter', 'lengthMuch'), 0),
    above('gold, told nothing less “prefer much shorter”, points', less('gold', 'goldMuch'), 0),
    above('gold, “prefer shorter” less M1, points', less('goldShorter', 'm1'), 0),
    above('gold, “prefer much shorter” less M1, points', less('goldMuch', 'm1'), 0),
  ],
  async experiment(trial) {
    const told = (instruction: string) => oaif(trial, { strength: 'large', instruction })
    const nothing = await oaif(trial, { strength: 'large' })
    const [shorter, much] = [await told('prefer shorter'), await told('prefer much shorter')]
    return {
      ...{ m1: goldOf(nothing)[0] ?? Number.NaN, lengthM1: lengthsOf(nothing)[0] ?? Number.NaN },
      ...{ gold: lastGold(nothing), goldShorter: lastGold(shorter), goldMuch: lastGold(much) },
      ...{ length: lastLength(nothing), lengthShorter: lastLength(shorter), lengthMuch: lastLength(much) },
    }
  },
}

/** C39. */
export const rlaifClaim: Claim = {
  id: 'C39',
  title: 'RLAIF is on a par with RLHF',
  statement: 'A reward model of an annotator’s labels serves as well as one of people’s; both beat SFT.',
  paper: 'RLAIF (Lee et al. 2023): against SFT 71 and 73 % (summaries), 63 and 64 % (helpfulness); head to head 50 %',
  setup:
    'The default world; one M1; RLHF with PPO and people’s rankings, RLAIF with REINFORCE and the large annotator’s labels; 2 × 768 prompts.',
  checks: [
    within('gold, RLAIF less RLHF, points', less('rlaif', 'rlhf'), -0.25, 0.25),
    above('gold, RLAIF less M1, points', less('rlaif', 'm1'), 0),
    above('gold, RLHF less M1, points', less('rlhf', 'm1'), 0),
  ],
  async experiment(trial) {
    const m1 = laid(await fromM1(trial), { iterations: rounds(trial, 2, 768) })
    const [rlhf, rlaif] = [await runArm(trial, 'rlhf', m1), await runArm(trial, 'rlaif', m1)]
    return { m1: goldOf(rlhf)[0] ?? Number.NaN, rlhf: lastGold(rlhf), rlaif: lastGold(rlaif) }
  },
}
