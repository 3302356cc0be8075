import test from 'ava'
import { above, below, criterionOf, judge, within } from '../../../scenarios/claims/check.js'

const x = (figures: Readonly<Record<string, number>>) => figures.x ?? Number.NaN
const seeds = (...values: number[]) => values.map((value) => ({ x: value }))

test('a condition holds where the whole interval is inside, not where it is outside, else it cannot be told', (t) => {
  // 1, 2, 3: mean 2, t(0.975, 2)·s/√3 = 4.3027/√3 = 2.484
  const verdict = (check: ReturnType<typeof above>) => judge({ checks: [check] }, seeds(1, 2, 3)).verdict
  t.is(verdict(above('x', x, -0.49)), 'holds')
  t.is(verdict(above('x', x, -0.48)), 'cannot tell')
  t.is(verdict(above('x', x, 4.48)), 'cannot tell')
  t.is(verdict(above('x', x, 4.49)), 'does not hold')
  t.is(verdict(below('x', x, 4.49)), 'holds')
  t.is(verdict(below('x', x, -0.49)), 'does not hold')
  t.is(verdict(within('x', x, -0.5, 4.5)), 'holds')
  t.is(verdict(within('x', x, 0, 4.5)), 'cannot tell')
  t.is(verdict(within('x', x, 5, 6)), 'does not hold')
})

test('one seed tells nothing, unless nothing is drawn at random', (t) => {
  const checks = [above('x', x, 0)]
  t.is(judge({ checks }, seeds(5)).verdict, 'cannot tell')
  t.is(judge({ checks, isExact: true }, seeds(5)).verdict, 'holds')
  t.is(judge({ checks, isExact: true }, seeds(-5)).verdict, 'does not hold')
  t.is(judge({ checks }, seeds(Number.NaN, Number.NaN)).verdict, 'cannot tell')
  t.is(judge({ checks: [] }, seeds(1, 2)).verdict, 'cannot tell')
})

test('a claim is as good as its worst condition', (t) => {
  const [good, bad, open] = [above('x', x, -9), above('x', x, 9), above('x', x, 2)]
  t.is(judge({ checks: [good, open] }, seeds(1, 2, 3)).verdict, 'cannot tell')
  t.is(judge({ checks: [good, open, bad] }, seeds(1, 2, 3)).verdict, 'does not hold')
})

test('the criterion is told from the conditions', (t) => {
  const checks = [above('a', x, 0), below('b', x, 1.5), within('c', x, 2, 3)]
  t.is(criterionOf({ checks }), 'With the whole 95 % interval over seeds: a ≥ 0; b ≤ 1.5; c in [2, 3]')
})
