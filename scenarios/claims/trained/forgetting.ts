import { fromM1, laid, runArm } from '../arms.js'
import { above, below } from '../check.js'
import type { Claim } from '../claim.js'
import { goldOf, lastGold, less, numbered, rounds } from './figures.js'
import { COMMON } from './forgetting-world.js'

const WORLD = { module: new URL('./forgetting-world.js', import.meta.url).href }

/** C3. */
export const forgettingClaim: Claim = {
  id: 'C3',
  title: 'Without replay a rare skill is forgotten',
  statement:
    'Rejection-sampling fine-tuning on the last round’s samples alone forgets a skill that the round did not ask for; with the best samples of all rounds it does not.',
  paper:
    'Llama 2 (Touvron et al. 2023, §3.2.3): V3 on V2’s samples alone got worse at rhyming; all rounds’ top samples mended it (no figure)',
  setup: `The default world, where only the first of four rounds of ${COMMON} prompts asks for alphabetical order; evaluated on such prompts alone. Best of 8 by a reward model; with replay 32 rows of all earlier rounds an update.`,
  checks: [
    below(
      'rare skill without replay, gold at the end less after the first round, points',
      less('window5', 'window2'),
      0,
    ),
    above('rare skill at the end, with replay less without, points', less('replay5', 'window5'), 0),
  ],
  async experiment(trial) {
    const m1 = laid(await fromM1(trial), {
      world: WORLD,
      iterations: rounds({ scale: trial.scale === 'full' ? 'quick' : trial.scale }, 4, COMMON),
    })
    const replayed = (settings: { rounds: number | 'all'; rows: number }) =>
      runArm(trial, 'rejection-sampling', laid(m1, { training: { replay: settings } }))
    const [window, replay] = [await replayed({ rounds: 0, rows: 0 }), await replayed({ rounds: 'all', rows: 32 })]
    return {
      ...numbered('window', goldOf(window)),
      ...numbered('replay', goldOf(replay)),
      last: lastGold(replay) - lastGold(window),
    }
  },
}
