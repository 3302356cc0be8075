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

test('what a ledger keeps of a long run does not grow with it, and every id is still known', (t) => {
  const ledger = createLedger()
  for (let batch = 0; batch < 500; batch++) {
    const ids = Array.from({ length: 8 }, (_, i) => `3.${8 * batch + i}`)
    for (const id of ids) ledger.issue(id)
    for (const id of ids.toReversed()) ledger.consume(id)
  }
  for (const id of ['3.4000', '3.4001', '4.0', 'x']) ledger.issue(id)
  ledger.drop('3.4001', 'tie')
  ledger.consume('x')
  const state = ledger.snapshot()
  t.deepEqual([...state.settled].sort(), ['3.0-3999', '3.4001-4001', 'x'])
  const again = createLedger()
  again.restore(state)
  t.deepEqual(again.counts(), { issued: 4004, consumed: 4001, dropped: { tie: 1 }, inFlight: 2 })
  for (const known of ['3.0', '3.1234', '3.3999', '3.4000', '3.4001', 'x', '4.0'])
    t.throws(() => again.issue(known), { code: 'E_INVARIANT' })
  again.issue('3.4002')
  again.issue('3.04')
  const overlapping = { ...state, settled: ['3.0-3999', '3.3999-4000', 'x'] }
  t.throws(() => again.restore(overlapping), { code: 'E_JOURNAL' })
  t.throws(() => again.restore({ ...state, inFlight: ['3.77', '4.0'] }), { code: 'E_JOURNAL' })
})

test('ids in ranges are as ids in a set, in any order and after any snapshot', (t) => {
  const id = fc.oneof(
    fc.tuple(fc.constantFrom('', '0.', '1.', 'a-', '3-'), fc.integer({ min: 0, max: 12 })).map(([a, n]) => `${a}${n}`),
    fc.constantFrom('x', '', '-', '007', '1-2', 'a-3-5', '0.5-'),
  )
  fc.assert(
    fc.property(fc.array(id, { maxLength: 60 }), fc.array(id, { maxLength: 20 }), (entered, asked) => {
      const ledger = createLedger()
      const set = new Set(entered)
      for (const each of set) ledger.issue(each)
      for (const each of set) ledger.consume(each)
      const again = createLedger()
      again.restore(ledger.snapshot())
      t.is(again.counts().consumed, set.size)
      for (const each of [...entered, ...new Set(asked)]) {
        if (set.has(each)) t.throws(() => again.issue(each), { code: 'E_INVARIANT' })
        else again.issue(each)
      }
    }),
  )
})
