import test from 'ava'
import fc from 'fast-check'
import { createLedger, lagHistogram, lags, minVersionOf, summarizeLags } from '../../alignment/index.js'

test('the lowest version that may write for an update', (t) => {
  t.is(minVersionOf(7, 4, 0), 7)
  t.is(minVersionOf(7, 4, 2), 5)
  t.is(minVersionOf(1, 0, 5), 0)
  t.is(minVersionOf(7, 4, 'iteration'), 4)
})

test('lags, as the versions of one sample give them', (t) => {
  const sample = { learnerVersion: 10, publishedVersion: 9, span: { start: 4, end: 6 }, judge: { start: 7, end: 8 } }
  t.deepEqual(lags(sample), { lag: 6, inFlight: 2, inQueue: 4, publish: 1, judgeLag: 3 })
})

test('lags by value: mean, greatest, distribution', (t) => {
  t.deepEqual(lagHistogram([0, 2, 0, 4, 10]), { mean: 3.2, max: 10, histogram: { 0: 2, 2: 1, 4: 1, 10: 1 } })
  t.deepEqual(
    summarizeLags(
      new Map([
        [3, 2],
        [1, 2],
      ]),
    ),
    { mean: 2, max: 3, histogram: { 1: 2, 3: 2 } },
  )
  t.deepEqual(summarizeLags(new Map()), { mean: 0, max: 0, histogram: {} })
})

test('every sample is consumed, dropped or in flight', (t) => {
  const ledger = createLedger()
  for (const id of ['a', 'b', 'c', 'd']) ledger.issue(id)
  ledger.consume('b')
  ledger.drop('a', 'tie')
  ledger.drop('c', 'tie')
  t.deepEqual(ledger.counts(), { issued: 4, consumed: 1, dropped: { tie: 2 }, inFlight: 1 })
})

test('what was never issued, or is gone, cannot be used', (t) => {
  const ledger = createLedger()
  t.throws(() => ledger.consume('a'), { code: 'E_INVARIANT' })
  ledger.issue('a')
  t.throws(() => ledger.issue('a'), { code: 'E_INVARIANT' })
  ledger.consume('a')
  t.throws(() => ledger.consume('a'), { code: 'E_INVARIANT' })
  t.throws(() => ledger.drop('a', 'late'), { code: 'E_INVARIANT' })
  t.throws(() => ledger.issue('a'), { code: 'E_INVARIANT' })
  t.deepEqual(ledger.counts(), { issued: 1, consumed: 1, dropped: {}, inFlight: 0 })
})

test('the law holds after any history', (t) => {
  const step = fc.record({ id: fc.integer({ min: 0, max: 20 }), what: fc.constantFrom('issue', 'consume', 'drop') })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const ledger = createLedger()
      for (const { id, what } of steps)
        try {
          if (what === 'drop') ledger.drop(`${id}`, 'any')
          else ledger[what as 'issue' | 'consume'](`${id}`)
        } catch {}
      const { issued, consumed, dropped, inFlight } = ledger.counts()
      return issued === consumed + (dropped.any ?? 0) + inFlight && inFlight >= 0
    }),
  )
  t.pass()
})

test('a ledger that was put away knows what it knew', (t) => {
  const ledger = createLedger()
  for (const id of ['a', 'b', 'c', 'd']) ledger.issue(id)
  ledger.consume('b')
  ledger.drop('a', 'tie')
  const state = structuredClone(ledger.snapshot())
  ledger.consume('c') // of no consequence to what was put away
  const again = createLedger()
  again.issue('of no consequence')
  again.restore(state)
  t.deepEqual(again.counts(), { issued: 4, consumed: 1, dropped: { tie: 1 }, inFlight: 2 })
  t.throws(() => again.issue('a'), { code: 'E_INVARIANT' })
  again.consume('c')
  again.drop('d', 'tie')
  t.deepEqual(again.counts(), { issued: 4, consumed: 2, dropped: { tie: 2 }, inFlight: 0 })
  for (const wrong of [{ consumed: 2 }, { dropped: {} }, { settled: ['a', 'a'] }, { inFlight: ['a', 'c'] }])
    t.throws(() => again.restore({ ...state, ...wrong }), { code: 'E_JOURNAL', message: /does not add up/ })
})
