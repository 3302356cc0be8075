import '@tensorflow/tfjs-backend-cpu'
import * as tf from '@tensorflow/tfjs-core'
import test from 'ava'
import fc from 'fast-check'
import { preferenceLoss, preferenceLosses, sigmoidPreferenceLoss } from '../../../alignment/index.js'
import { registerGradients } from '../../../runtime/tensor/gradients/index.js'
import { CLOSED_FORMS } from './closed-forms.js'
import { close, type NumberPair, PAIRS, pairGradients, sigmoid, slopes, tensorsOf } from './support.js'

registerGradients()

const number = (min: number, max: number) => fc.double({ min, max, noNaN: true })
const anyPair: fc.Arbitrary<NumberPair> = fc.record({
  chosen: number(-40, -1),
  rejected: number(-40, -1),
  refChosen: number(-40, -1),
  refRejected: number(-40, -1),
  chosenTokens: fc.integer({ min: 1, max: 20 }),
  rejectedTokens: fc.integer({ min: 1, max: 20 }),
})
/** Losses of the difference of two sequences alone. */
const OF_GAP = ['dpo', 'cdpo', 'robust-dpo', 'ipo', 'hinge-norm', 'sigmoid-norm', 'spin', 'exo', 'discopop', 'slic']
const named = (form: (typeof CLOSED_FORMS)[number]) => JSON.stringify(form.choice)

for (const form of CLOSED_FORMS)
  test(`${named(form)} has the reference's values and the slopes of its formula`, (t) => {
    const { perPair } = preferenceLoss(form.choice)
    if (form.golden) close(t, PAIRS.map(form.loss), form.golden, 1e-10, 'formula')
    const check = (pairs: readonly NumberPair[]) => {
      close(t, perPair(tensorsOf(pairs)).dataSync(), pairs.map(form.loss), 5e-6, named(form))
      const [chosen, rejected] = pairGradients(perPair, tensorsOf(pairs))
      const expected = pairs.map((pair) =>
        slopes((c, r) => form.loss({ ...pair, chosen: c!, rejected: r! }), [pair.chosen, pair.rejected]),
      )
      close(
        t,
        chosen,
        expected.map(([slope]) => slope!),
        2e-4,
        `${named(form)} by chosen`,
      )
      close(
        t,
        rejected,
        expected.map(([, slope]) => slope!),
        2e-4,
        `${named(form)} by rejected`,
      )
    }
    check(PAIRS)
    // Away from the hinges' corners, where a difference quotient is no slope, and from float32's cancellation.
    const smooth = (pair: NumberPair) =>
      [0.1, 0.05].every((scale) => Math.abs(1 - scale * hOf(pair)) > 1e-3) &&
      [1, 15].every((margin) => Math.abs(margin - pair.chosen + pair.rejected) > 1e-3)
    fc.assert(
      fc.property(fc.array(anyPair.filter(smooth), { minLength: 1, maxLength: 4 }), (pairs) => check(pairs)),
      { numRuns: 25 },
    )
  })

const hOf = (p: NumberPair) => p.chosen - p.refChosen - (p.rejected - p.refRejected)

test('two equal completions have no gradient together', (t) => {
  const equal = PAIRS.map((pair) => ({
    ...pair,
    rejected: pair.chosen,
    refRejected: pair.refChosen,
    rejectedTokens: pair.chosenTokens,
  }))
  for (const name of [...OF_GAP, 'simpo', 'ln-dpo'] as (keyof typeof preferenceLosses)[]) {
    const [chosen, rejected] = pairGradients(preferenceLoss({ name }).perPair, tensorsOf(equal))
    close(
      t,
      chosen.map((slope, i) => slope + rejected[i]!),
      [0, 0, 0, 0],
      1e-6,
      name,
    )
  }
})

test('slopes have their closed forms: IPO 2(h − 1/2τ), hinge −γ·1[γh < 1], robust DPO linear in the flips', (t) => {
  const hs = [1.5, 1, -0.75, 3.25]
  const [ipo] = pairGradients(preferenceLoss({ name: 'ipo', tau: 0.5 }).perPair, tensorsOf(PAIRS))
  close(
    t,
    ipo,
    hs.map((h) => 2 * (h - 1)),
  )
  const [hinge] = pairGradients(preferenceLoss({ name: 'hinge-norm', gamma: 0.8 }).perPair, tensorsOf(PAIRS))
  close(t, hinge, [0, -0.8, -0.8, 0])
  const [robust] = pairGradients(preferenceLoss({ name: 'robust-dpo', flipRate: 0.2 }).perPair, tensorsOf(PAIRS))
  const p = hs.map((h) => sigmoid(0.1 * h))
  close(
    t,
    robust,
    p.map((q) => (-0.1 * (1 - q + 0.2 * (2 * q - 1))) / 0.6),
  )
  const [exo] = pairGradients(preferenceLoss({ name: 'exo', labelSmoothing: sigmoid(-1) }).perPair, {
    ...tensorsOf(PAIRS.slice(0, 1)),
    chosen: tf.tensor1d([-13 + 9.5]), // h = 10: p = σ(1) = 1 − ε
  })
  close(t, exo, [0], 1e-6)
})

test('robust DPO under flips is DPO on the right labels in expectation', (t) => {
  fc.assert(
    fc.property(number(-30, 30), number(0, 0.45), (h, rate) => {
      const loss = (x: number) => {
        const pair = { ...PAIRS[0]!, chosen: x, rejected: 0, refChosen: 0, refRejected: 0 }
        return preferenceLoss({ name: 'robust-dpo', flipRate: rate })
          .perPair(tensorsOf([pair]))
          .dataSync()[0]!
      }
      const clean = sigmoidPreferenceLoss(tf.tensor1d([h]), 0.1).dataSync()[0]!
      close(t, [(1 - rate) * loss(h) + rate * loss(-h)], [clean], 1e-4)
    }),
    { numRuns: 30 },
  )
})

test('SPIN against a sample of the reference is DPO, and APO, NCA and BCO say what they raise and lower', (t) => {
  const [pair] = [tensorsOf(PAIRS)]
  const value = (name: keyof typeof preferenceLosses) => Array.from(preferenceLoss({ name }).perPair(pair).dataSync())
  t.deepEqual(value('spin'), value('dpo'))
  const signs = (name: keyof typeof preferenceLosses) =>
    pairGradients(preferenceLoss({ name }).perPair, pair).map((slopes) => [...new Set(slopes.map(Math.sign))])
  t.deepEqual(signs('apo-zero'), [[-1], [1]], 'descent raises the chosen, lowers the rejected')
  t.deepEqual(signs('bco-pair'), [[-1], [1]])
  const [down] = pairGradients(preferenceLoss({ name: 'apo-down' }).perPair, {
    ...pair,
    chosen: tf.clone(pair.refChosen),
    rejected: tf.sub(pair.refRejected, 40),
  })
  t.true(
    down.every((slope) => slope > 0),
    'APO-down lowers the chosen where the gap is wide',
  )
})

test('far out nothing overflows', (t) => {
  for (const name of Object.keys(preferenceLosses) as (keyof typeof preferenceLosses)[]) {
    if (['kto', 'xpo', 'r-dpo', 'ld-dpo', 'cringe'].includes(name)) continue
    const far = PAIRS.flatMap((pair) => [
      { ...pair, chosen: -20_000 },
      { ...pair, rejected: -20_000 },
      { ...pair, chosen: -1e-9, rejected: -1e-9 },
    ])
    const { perPair } = preferenceLoss({ name })
    t.true(perPair(tensorsOf(far)).dataSync().every(Number.isFinite), name)
    t.true(
      pairGradients(perPair, tensorsOf(far))
        .flatMap((slopes) => [...slopes])
        .every(Number.isFinite),
      name,
    )
  }
})
