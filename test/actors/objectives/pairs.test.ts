import test from 'ava'
import type { JudgedGroup } from '../../../actors/messages.js'
import type { GroupOutcome } from '../../../actors/selection.js'
import type { PreferenceLossChoice } from '../../../alignment/index.js'
import { preferenceLosses } from '../../../alignment/losses/registry/index.js'
import type { TokenSequence } from '../../../models/types.js'
import { CLOSED_FORMS } from '../../alignment/losses/closed-forms.js'
import { type NumberPair, sigmoid, softplus } from '../../alignment/losses/support.js'
import { TINY_MODEL } from '../fixtures/alone.js'
import {
  checkSlope,
  gradientOf,
  groupOf,
  logprobsOf,
  near,
  openWith,
  sequencesOf,
  sumsOf,
  total,
  weightsOf,
} from '../fixtures/objectives.js'

const [theta, ref] = [weightsOf(1), weightsOf(2)]

/** Three pairs of three prompts; the first model wrote one of the chosen and two of the rejected. */
const groups = [
  groupOf(['ant bee', 'cat'], { prompt: 'copy ant bee', writers: ['policy', 'first'] }),
  groupOf(['dog', 'eel fox gnu'], { prompt: 'turn cat dog', writers: ['first', 'policy'] }),
  groupOf(['hen jay koi', 'hen'], { prompt: 'copy hen jay koi', writers: ['policy', 'first'] }),
]
const outcomesOf = (from: readonly JudgedGroup[]): GroupOutcome[] =>
  from.map((group) => ({ group, selected: { pairs: [{ chosen: 0, rejected: 1 }] } }))
const sidesOf = (from: readonly JudgedGroup[]) => [0, 1].map((side) => from.map((one) => sequencesOf(one)[side]!))
const lengthOf = ({ tokens, promptLength }: TokenSequence) => tokens.length - promptLength

/** Pairs as numbers, of a policy with these weights and the reference. */
async function numbersOf(params: Float32Array, from: readonly JudgedGroup[] = groups): Promise<NumberPair[]> {
  const [chosen, rejected] = sidesOf(from) as [TokenSequence[], TokenSequence[]]
  const [w, l, refW, refL] = [
    await sumsOf(params, chosen),
    await sumsOf(params, rejected),
    await sumsOf(ref, chosen),
    await sumsOf(ref, rejected),
  ]
  return from.map((_, i) => ({
    ...{ chosen: w[i]!, rejected: l[i]!, refChosen: refW[i]!, refRejected: refL[i]! },
    ...{ chosenTokens: lengthOf(chosen[i]!), rejectedTokens: lengthOf(rejected[i]!) },
  }))
}

const mean = (values: readonly number[]) => total(values) / values.length
const lrw = (p: NumberPair) => p.chosen - p.refChosen
const lrl = (p: NumberPair) => p.rejected - p.refRejected
const nlls = (x: number) => softplus(-x)

/** log π − log ref of each prompt with the chosen answer of the next. */
async function mismatched(params: Float32Array): Promise<number[]> {
  const after = groups.map(({ prompt }, i) => sequencesOf(groups[(i + 1) % 3]!, prompt)[0]!)
  const [own, others] = [await sumsOf(params, after), await sumsOf(ref, after)]
  return own.map((value, i) => value - others[i]!)
}

/** Σ softplus(s[y] − s*) over the rejected tokens, s* the greatest other logit, from log-probabilities of all words. */
async function contrasts(params: Float32Array): Promise<number[]> {
  const [, rejected] = sidesOf(groups) as [TokenSequence[], TokenSequence[]]
  return Promise.all(
    rejected.map(async ({ tokens, promptLength }) => {
      let sum = 0
      for (let at = promptLength; at < tokens.length; at++) {
        const words = Array.from({ length: TINY_MODEL.vocabSize }, (_, word) => ({
          tokens: Int32Array.of(...tokens.slice(0, at), word),
          promptLength: at,
        }))
        const logprobs = (await logprobsOf(params, words)).map(([value]) => value!)
        const own = logprobs[tokens[at]!]!
        sum += softplus(own - Math.max(...logprobs.filter((_, word) => word !== tokens[at])))
      }
      return sum
    }),
  )
}

interface Form {
  readonly choice: PreferenceLossChoice
  /** The batch's loss of a policy with these weights; what has no gradient is taken at `theta`. */
  readonly loss: (params: Float32Array) => Promise<number>
}

const sorted = (values: readonly number[]) => [...values].sort((a, b) => a - b)

/** Losses that are more than a function of each pair's sums. */
const others: readonly Form[] = [
  {
    choice: { name: 'aot' },
    async loss(params) {
      const pairs = await numbersOf(params)
      const [a, b] = [sorted(pairs.map(lrw)), sorted(pairs.map(lrl))]
      return mean(a.map((value, i) => nlls(0.1 * (value - b[i]!))))
    },
  },
  {
    choice: { name: 'kto', desirableWeight: 1.25 },
    async loss(params) {
      const z0 = Math.max(0, mean(await mismatched(theta)))
      const pairs = await numbersOf(params)
      const good = (p: NumberPair) => 1.25 * (1 - sigmoid(0.1 * (lrw(p) - z0)))
      const bad = (p: NumberPair) => 1 - sigmoid(0.1 * (z0 - lrl(p)))
      return mean(pairs.map((p) => good(p) + bad(p)))
    },
  },
  {
    choice: { name: 'xpo', alpha: 0.05 },
    async loss(params) {
      const pairs = await numbersOf(params)
      return mean(pairs.map((p, i) => nlls(0.1 * (lrw(p) - lrl(p))) + 0.05 * (i === 1 ? p.chosen : p.rejected)))
    },
  },
  {
    choice: { name: 'ld-dpo', alpha: 0.5 },
    async loss(params) {
      const [chosen, rejected] = sidesOf(groups) as [TokenSequence[], TokenSequence[]]
      const [w, l] = [await logprobsOf(params, chosen), await logprobsOf(params, rejected)]
      const pairs = await numbersOf(params)
      const shortened = (values: Float32Array, shared: number) =>
        total(values.map((value, token) => (token < shared ? value : 0.5 * value)))
      return mean(
        pairs.map((p, i) => {
          const shared = Math.min(w[i]!.length, l[i]!.length)
          const gap = shortened(w[i]!, shared) - p.refChosen - shortened(l[i]!, shared) + p.refRejected
          return nlls(0.1 * gap)
        }),
      )
    },
  },
  {
    choice: { name: 'cringe', margin: 2, temperature: 3, detached: true },
    async loss(params) {
      const [pairs, base, bad] = [await numbersOf(params), await numbersOf(theta), await contrasts(params)]
      const gate = ({ chosen, rejected }: NumberPair) => sigmoid((2 - (chosen - rejected)) / 3)
      return mean(pairs.map((p, i) => gate(base[i]!) * (bad[i]! - p.chosen)))
    },
  },
]

const forms: readonly Form[] = [
  ...CLOSED_FORMS.map(({ choice, loss }) => ({
    choice,
    loss: async (params: Float32Array) => mean((await numbersOf(params)).map(loss)),
  })),
  ...others,
]

test('every loss of the family is among those that are checked', (t) => {
  t.deepEqual([...new Set(forms.map(({ choice }) => choice.name!))].sort(), Object.keys(preferenceLosses).sort())
})

for (const { choice, loss } of forms)
  test.serial(`${JSON.stringify(choice)}: a step's loss and gradient are those of its formula`, async (t) => {
    const opened = await openWith({ loss: choice, selection: { rule: 'compared' } })
    const result = await opened.objective.update(outcomesOf(groups), 0)
    near(t, result?.loss, await loss(theta), 'loss')
    t.is(result?.used, 3)
    const gradient = await gradientOf(opened)
    near(t, result?.gradNorm, Math.sqrt(total(gradient.map((value) => value * value))), 'norm', 1e-4)
    await checkSlope(t, gradient, theta, loss)
    await opened.objective.dispose()
  })
