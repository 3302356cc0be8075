import test from 'ava'
import fc from 'fast-check'
import { Ledger, missing } from '../../bench/soak/ledger.js'

test('each item once, in any order, is neither missing nor doubled, and leaves nothing behind', (t) => {
  const orders = fc.shuffledSubarray(
    Array.from({ length: 60 }, (_, i) => [i % 3, Math.floor(i / 3)] as const),
    { minLength: 60 },
  )
  fc.assert(
    fc.property(orders, fc.nat(59), (items, cut) => {
      let ledger = new Ledger()
      items.forEach(([writer, id], i) => {
        if (i === cut) ledger = Ledger.from(structuredClone(ledger.state()))
        ledger.add(writer, id)
      })
      const state = ledger.state()
      t.deepEqual(state, { writers: Array(3).fill({ next: 20, ahead: [] }), seen: 60, doubled: 0 })
      t.is(missing(state, [20, 20, 20]), 0)
    }),
  )
})

test('a double is counted once a time, before and after the gap below it is closed', (t) => {
  const ledger = new Ledger()
  for (const id of [0, 2, 2, 1, 1, 2]) ledger.add(0, id)
  t.deepEqual(ledger.state(), { writers: [{ next: 3, ahead: [] }], seen: 3, doubled: 3 })
})

test('what never came is missing, also of a writer of whom nothing came', (t) => {
  const ledger = new Ledger()
  for (const id of [0, 1, 3, 4]) ledger.add(0, id)
  t.deepEqual(ledger.state().writers, [{ next: 2, ahead: [3, 4] }])
  t.is(missing(ledger.state(), [6, 4]), 2 + 4)
})
