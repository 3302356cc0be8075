import { fromM1, laid, runArm } from '../arms.js'
import { above, below } from '../check.js'
import type { Claim } from '../claim.js'
import { goldOf, lastGold, less, numbered, rounds } from './figures.js'

const ROUNDS = 4

/** C16. */
export const spinClaim: Claim = {
  id: 'C16',
  title: 'SPIN’s gains shrink; neither more epochs nor more SFT replace a new opponent',
  statement:
    'Each iteration of self-play gains less than the one before; training longer against the first opponent, or on demonstrations, does not get as far.',
  paper: 'SPIN (Chen et al. 2024): +2.66, +1.32, +.85, +.19; SFT continued 58.14 → 57.23',
  setup: `The default world; one M1; ${ROUNDS} iterations of 512 demonstrations. Against it: the same demonstrations ${ROUNDS} times over against M1’s samples, M1 as reference; M1 trained on 8,192 more demonstrations at a quarter of the rate.`,
  checks: [
    above('gold of M2 less M1, points', less('spin2', 'spin1'), 0),
    below(
      'gain of the last two iterations less that of the first two, points',
      (f) => gain(f, 3, 5) - gain(f, 1, 3),
      0,
    ),
    above('gold at the end less that of more epochs against M1, points', less('spin5', 'epochs'), 0),
    above('gold at the end less that of more SFT, points', less('spin5', 'sft'), 0),
  ],
  async experiment(trial) {
    const m1 = await fromM1(trial)
    const iterations = rounds(trial, ROUNDS, 512)
    const spin = await runArm(trial, 'spin', laid(m1, { iterations }))
    const writers = [
      { by: 'people', n: 1 },
      { by: 'first', n: 1 },
    ]
    const frozen = { iterations, repeat: true, sampler: { writers }, training: { reference: 'first' } }
    const epochs = await runArm(trial, 'spin', laid(m1, frozen))
    const more = {
      ...{ demonstrations: { ift: 8192 }, sft: { optimizer: { learningRate: 1e-3 } } },
      ...{ iterations: [2], promptsPerUpdate: 2, batchSize: 2 },
    }
    const sft = await runArm(trial, 'dpo', laid(m1, more))
    return { ...numbered('spin', goldOf(spin)), epochs: lastGold(epochs), sft: goldOf(sft)[0] ?? Number.NaN }
  },
}

const gain = (figures: Readonly<Record<string, number>>, from: number, to: number) =>
  (figures[`spin${to}`] ?? Number.NaN) - (figures[`spin${from}`] ?? Number.NaN)
