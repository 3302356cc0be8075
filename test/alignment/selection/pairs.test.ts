import test from 'ava'
import { meanVerdict, selectPair } from '../../../alignment/index.js'

test('best against worst, the first of several', (t) => {
  t.deepEqual(selectPair([2, 5, 1, 4]), { chosen: 1, rejected: 2 })
  t.deepEqual(selectPair([1, 4, 4, 1]), { chosen: 1, rejected: 0 })
  t.deepEqual(selectPair([-1, -3]), { chosen: 0, rejected: 1 })
})

test('an unreadable verdict is no score at all, least of all 0', (t) => {
  t.deepEqual(selectPair([undefined, 3, undefined, 2]), { chosen: 1, rejected: 3 })
  t.deepEqual(selectPair([undefined, 3]), { dropped: 'unreadable' })
  t.deepEqual(selectPair([]), { dropped: 'unreadable' })
  t.deepEqual(selectPair([3, Number.NaN]), { dropped: 'unreadable' })
})

test('ties, and gaps below the least one, are dropped as ties', (t) => {
  t.deepEqual(selectPair([3, 3, undefined, 3]), { dropped: 'tie' })
  t.deepEqual(selectPair([3, 3.5], { minGap: 1 }), { dropped: 'tie' })
  t.deepEqual(selectPair([3, 4], { minGap: 1 }), { chosen: 1, rejected: 0 })
})

test('verdicts are averaged; none has no mean', (t) => {
  t.is(meanVerdict([4, 5, 3]), 4)
  t.is(meanVerdict([0]), 0)
  t.is(meanVerdict([]), undefined)
})
