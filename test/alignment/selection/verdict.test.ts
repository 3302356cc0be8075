import test from 'ava'
import fc from 'fast-check'
import {
  bothOrders,
  judgedPair,
  type Opinion,
  probabilityOf,
  probabilityOfTokens,
  verdictOf,
} from '../../../alignment/index.js'

const anyOpinion: fc.Arbitrary<Opinion> = fc.oneof(
  fc.constantFrom<Opinion>('first', 'second', 'tie', 'invalid'),
  fc.double({ min: 0, max: 1, noNaN: true }),
)

test('what is no probability is invalid, never a default', (t) => {
  for (const bad of [-0.1, 1.1, Number.NaN, Infinity]) {
    t.is(probabilityOf(bad), undefined)
    t.is(verdictOf(bad), 'invalid')
    t.is(bothOrders(bad, 0.3), 'invalid')
  }
  t.deepEqual(
    ['first', 'second', 'tie', 'invalid'].map((v) => probabilityOf(v as Opinion)),
    [1, 0, 0.5, undefined],
  )
})

test('both orders: .70 shown first and .40 shown first give .55', (t) => {
  t.true(Math.abs((bothOrders(0.7, 0.6) as number) - 0.55) < 1e-15, 'P(first) of (b, a) is .6: a has .4 there')
  t.is(bothOrders('first', 'first'), 0.5, 'an annotator that always takes the first has said nothing')
  t.is(bothOrders('first', 'second'), 1)
  t.is(bothOrders('tie', 'second'), 0.75)
})

test('swapping both orders sums to 1, and is invalid exactly where one is', (t) => {
  fc.assert(
    fc.property(anyOpinion, anyOpinion, (ab, ba) => {
      const [one, other] = [bothOrders(ab, ba), bothOrders(ba, ab)]
      if (ab === 'invalid' || ba === 'invalid') return one === 'invalid' && other === 'invalid'
      return Math.abs((one as number) + (other as number) - 1) < 1e-15
    }),
  )
  t.pass()
})

test('a position bias that is the same in both orders leaves no trace', (t) => {
  fc.assert(
    fc.property(
      fc.double({ min: 0.2, max: 0.8, noNaN: true }),
      fc.double({ min: -0.2, max: 0.2, noNaN: true }),
      (p, bias) => {
        return Math.abs((bothOrders(p + bias, 1 - p + bias) as number) - p) < 1e-12
      },
    ),
  )
  t.pass()
})

test('two tokens’ log-probabilities: the softmax over them', (t) => {
  t.is(probabilityOfTokens(-3, -3), 0.5)
  t.true(Math.abs(probabilityOfTokens(Math.log(0.6), Math.log(0.2)) - 0.75) < 1e-12)
  t.is(probabilityOfTokens(-2000, 0), 0)
})

test('ties go to the first or to nobody, invalid opinions to nobody', (t) => {
  t.deepEqual(judgedPair(0.5, 'first'), { chosen: 0, rejected: 1 })
  t.deepEqual(judgedPair(0.5, 'drop'), { dropped: 'tie' })
  t.deepEqual(judgedPair(0.4999, 'first'), { chosen: 1, rejected: 0 })
  t.deepEqual(judgedPair('invalid', 'first'), { dropped: 'unreadable' })
  t.is(verdictOf(0.55, 0.1), 'tie')
})
