import { type BothOrders, bothOrders, meanOf, positionBias, probabilityOf } from '../../../alignment/index.js'
import { seededRandom } from '../../../runtime/time/index.js'
import { above, within } from '../check.js'
import type { Claim } from '../claim.js'

const COMPARISONS = 4000
/** In nats: an annotator that likes the first place so much says "first" of equal answers 69 times of 100. */
const BIAS = 0.8

const logistic = (x: number) => 1 / (1 + Math.exp(-x))

/** C24. */
export const positionBiasClaim: Claim = {
  id: 'C24',
  title: 'Averaging both orders removes position bias',
  statement: 'An annotator that prefers the answer shown first is put right by asking in both orders and averaging.',
  paper: '(.70, .40) → .55, the rule of RLAIF (Lee et al. 2023) and OAIF (Guo et al. 2024, §3)',
  setup: `${COMPARISONS} simulated comparisons: logit P(first) = quality gap ~ N(0, 1) + ${BIAS}, asked in one order and in both.`,
  seeds: 10,
  checks: [
    within('the rule on (.70, .40)', (f) => f.rule ?? Number.NaN, 0.5499999, 0.5500001),
    above('bias towards the first place, one order', (f) => f.biasOne ?? Number.NaN, 0.05),
    within('bias after averaging', (f) => f.biasBoth ?? Number.NaN, -1e-9, 1e-9),
    above('agreement with the better answer, both orders less one', (f) => f.gain ?? Number.NaN, 0),
  ],
  async experiment({ seed }) {
    const random = seededRandom(seed, 'C24')
    const asked = Array.from({ length: COMPARISONS }, () => {
      const gap = random.normal()
      return { gap, ab: logistic(gap + BIAS), ba: logistic(-gap + BIAS) }
    })
    // What is left after averaging: the same comparison begun from the other answer.
    const averaged = asked.map(({ ab, ba }): BothOrders => ({ ab: bothOrders(ab, ba), ba: bothOrders(ba, ab) }))
    const agrees = (p: number | undefined, gap: number) => Number((p ?? Number.NaN) > 0.5 === gap > 0)
    const one = meanOf(asked.map(({ gap, ab }) => agrees(ab, gap)))
    const both = meanOf(asked.map(({ gap }, i) => agrees(probabilityOf(averaged[i]!.ab), gap)))
    return {
      rule: probabilityOf(bothOrders(0.7, 1 - 0.4)) ?? Number.NaN,
      biasOne: positionBias(asked).bias,
      biasBoth: positionBias(averaged).bias,
      flippedOne: positionBias(asked).flipped,
      agreementOne: one,
      agreementBoth: both,
      gain: both - one,
    }
  },
}
