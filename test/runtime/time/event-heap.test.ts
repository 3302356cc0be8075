import test from 'ava'
import fc from 'fast-check'
import { EventHeap } from '../../../runtime/time/event-heap.js'

interface Planned {
  readonly time: number
  readonly weak: boolean
  readonly cancelled: boolean
}

const planned: fc.Arbitrary<Planned> = fc.record({
  time: fc.integer({ min: 0, max: 20 }),
  weak: fc.boolean(),
  cancelled: fc.boolean(),
})

test('events come in the order of time, then place, without the cancelled ones, whatever the order of adding', (t) => {
  const property = fc.property(fc.array(planned, { maxLength: 600 }), fc.nat(), (events, rotation) => {
    const heap = new EventHeap()
    const seen: number[] = []
    const places = events.map((_, index) => (index + rotation) % Math.max(1, events.length))
    const slots = events.map(({ time, weak }, i) => heap.push(time, places[i]!, () => seen.push(i), weak))
    events.forEach(({ cancelled }, i) => {
      if (cancelled) heap.cancel(slots[i]!, places[i]!)
    })
    const left = events.map((event, i) => ({ ...event, i })).filter(({ cancelled }) => !cancelled)
    t.is(heap.strong, left.filter(({ weak }) => !weak).length)
    const times: number[] = []
    for (let work = heap.pop(); work; work = heap.pop()) {
      work()
      times.push(heap.time)
    }
    const expected = left.sort((a, b) => a.time - b.time || places[a.i]! - places[b.i]!)
    t.deepEqual(
      seen,
      expected.map(({ i }) => i),
    )
    t.deepEqual(
      times,
      expected.map(({ time }) => time),
    )
    t.deepEqual([heap.strong, heap.size], [0, 0])
  })
  fc.assert(property, { seed: 1, numRuns: 300 })
})

test('pushing and popping by turns keeps the order', (t) => {
  const property = fc.property(
    fc.array(fc.integer({ min: 0, max: 50 }), { minLength: 20, maxLength: 400 }),
    (steps) => {
      const heap = new EventHeap()
      let place = 0
      let now = 0
      let popped: { time: number; place: number } | undefined
      for (const ahead of steps) {
        const own = { time: now + ahead, place: place++ }
        heap.push(
          own.time,
          own.place,
          () => {
            const before = popped
            t.true(!before || own.time > before.time || (own.time === before.time && own.place > before.place))
            popped = own
          },
          false,
        )
        if (ahead % 3 === 0) {
          heap.pop()!()
          now = heap.time
        }
      }
    },
  )
  fc.assert(property, { seed: 2, numRuns: 100 })
})

test('cancelled events do not pile up, and a cancellation is of one event only', (t) => {
  const heap = new EventHeap()
  const seen: string[] = []
  let place = 0
  heap.push(1, place++, () => seen.push('kept'), false)
  let most = 0
  for (let i = 0; i < 10_000; i++) {
    const own = place++
    const slot = heap.push(1e6, own, () => seen.push('cancelled'), false)
    heap.cancel(slot, own)
    heap.cancel(slot, own)
    most = Math.max(most, heap.size)
  }
  t.true(most < 200, `${most} events were held`)
  t.is(heap.strong, 1)
  const old = heap.push(2, place, () => seen.push('old'), false)
  heap.pop()!()
  heap.pop()!()
  const reused = heap.push(3, place + 1, () => seen.push('reused'), false)
  t.true([old, reused].every((slot) => slot >= 0))
  heap.cancel(old, place)
  heap.pop()!()
  t.deepEqual(seen, ['kept', 'old', 'reused'])
})
