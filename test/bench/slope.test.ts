import test from 'ava'
import { slopeOf, student975 } from '../../bench/soak/slope.js'
import { leaks, slopesOf, type Usage } from '../../bench/soak/usage.js'
import { seededRandom } from '../../runtime/index.js'

const HOUR_MS = 3_600_000

test('quantiles of Student’s t are those of the tables', (t) => {
  const table: readonly [number, number][] = [
    [2, 4.3027],
    [3, 3.1824],
    [5, 2.5706],
    [10, 2.2281],
    [30, 2.0423],
    [120, 1.9799],
  ]
  for (const [df, quantile] of table) t.true(Math.abs(student975(df) / quantile - 1) < 0.005, `df ${df}`)
  t.true(Math.abs(student975(10) - 2.2281) < 1e-3)
})

test('the slope and its interval are those of the closed form', (t) => {
  // x = 1…5 h, y = 2, 4, 5, 4, 5: slope 0.6, residual sum 2.4, s² = 0.8, se = √(0.8/10), t₀.₉₇₅(3) = 3.1824
  const points = [2, 4, 5, 4, 5].map((value, i) => ({ atMs: (i + 1) * HOUR_MS, value }))
  const slope = slopeOf(points, 5)!
  t.is(slope.blocks, 5)
  t.true(Math.abs(slope.perHour - 0.6) < 1e-12)
  t.is(slope.mean, 4)
  const margin = 3.1824 * Math.sqrt(0.08)
  t.true(Math.abs(slope.upperPerHour - (0.6 + margin)) < 0.005)
  t.true(Math.abs(slope.lowerPerHour - (0.6 - margin)) < 0.005)
})

test('blocks are means over equal spans of time, whatever the number of points in each', (t) => {
  const points = [0, 1, 2, 3].flatMap((hour) =>
    Array.from({ length: hour + 1 }, (_, i) => ({ atMs: (hour + i / 10) * HOUR_MS, value: 7 + 3 * (hour + i / 10) })),
  )
  const slope = slopeOf(points, 4)!
  t.is(slope.blocks, 4)
  t.true(Math.abs(slope.perHour - 3) < 1e-9)
  t.true(slope.upperPerHour - slope.lowerPerHour < 1e-6)
})

test('the least of a block is not moved by work under way, and still shows what stays', (t) => {
  const of = (leakPerHour: number) =>
    Array.from({ length: 480 }, (_, i) => {
      const hours = i / 120
      // ever more often something is under way: 15 files for a moment
      const busy = i % 2 === 1 && i > 120 ? 15 : 0
      return { atMs: hours * HOUR_MS, value: 43 + Math.floor(leakPerHour * hours) + busy }
    })
  t.true(slopeOf(of(0), 12)!.lowerPerHour > 0, 'the mean takes it for growth')
  t.is(slopeOf(of(0), 12, 'least')!.perHour, 0)
  t.true(slopeOf(of(4), 12, 'least')!.lowerPerHour > 3)
})

test('too few blocks give no slope', (t) => {
  t.is(slopeOf([], 10), undefined)
  t.is(slopeOf([{ atMs: 1, value: 1 }], 10), undefined)
  const three = [1, 2, 3].map((value) => ({ atMs: value, value }))
  t.is(slopeOf(three, 3), undefined)
})

function samples(growthMbPerHour: number, seed: number): Usage[] {
  const random = seededRandom(seed, 'usage')
  return Array.from({ length: 720 }, (_, i): Usage => {
    const atMs = i * 5000
    const start = i < 60 ? 300 - 4 * (60 - i) : 300
    const rssMb = start + (growthMbPerHour * atMs) / HOUR_MS + 3 * random.normal()
    return { atMs, rssMb, heapMb: 40 + random.normal(), handles: 30 + random.int(3), files: null }
  })
}

test('a leak is found, and noise or a warm-up is none', (t) => {
  const warmMs = 60 * 5000
  for (let seed = 0; seed < 20; seed++) {
    t.deepEqual(leaks(slopesOf(samples(0, seed), warmMs, 30)), [], `seed ${seed}`)
    const found = leaks(slopesOf(samples(20, seed), warmMs, 30))
    t.is(found.length, 1, `seed ${seed}`)
    t.regex(found[0]!, /^rssMb grows by (1[789]|2[0123])\.\d an hour/)
  }
  t.is(slopesOf(samples(0, 1), warmMs, 30).files, undefined)
})
