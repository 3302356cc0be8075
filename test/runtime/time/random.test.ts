import test from 'ava'
import { type Random, seededRandom } from '../../../runtime/index.js'

const N = 20_000
const draw = (random: Random, count = 8) => Array.from({ length: count }, () => random.float())

test('the same seed and path give the same values; another seed or path gives others', (t) => {
  t.deepEqual(draw(seededRandom(7, 'judge', 3)), draw(seededRandom(7, 'judge', 3)))
  t.notDeepEqual(draw(seededRandom(7, 'judge', 3)), draw(seededRandom(8, 'judge', 3)))
  t.notDeepEqual(draw(seededRandom(7, 'judge', 3)), draw(seededRandom(7, 'judge', 4)))
  t.notDeepEqual(draw(seededRandom(7, 'ab', 'c')), draw(seededRandom(7, 'a', 'bc')))
})

test('a derived stream does not depend on what was drawn before, nor on the order of derivation', (t) => {
  const fresh = seededRandom(1)
  const used = seededRandom(1)
  draw(used, 100)
  used.stream('other')
  t.deepEqual(draw(fresh.stream('prompt', 5)), draw(used.stream('prompt', 5)))
  t.notDeepEqual(draw(fresh.stream('prompt', 5)), draw(fresh))
})

test('moments are those of the distributions (6 standard errors)', (t) => {
  const random = seededRandom(3)
  const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length
  const near = (value: number, expected: number, deviation: number) =>
    t.true(Math.abs(value - expected) < (6 * deviation) / Math.sqrt(N), `${value} is not near ${expected}`)
  const floats = draw(random, N)
  near(mean(floats), 1 / 2, Math.sqrt(1 / 12))
  near(mean(floats.map((x) => (x - 0.5) ** 2)), 1 / 12, Math.sqrt(1 / 180))
  t.true(floats.every((x) => x >= 0 && x < 1))
  const normals = Array.from({ length: N }, () => random.normal())
  near(mean(normals), 0, 1)
  near(mean(normals.map((x) => x * x)), 1, Math.sqrt(2))
  near(mean(Array.from({ length: N }, () => random.int(10))), 4.5, Math.sqrt(99 / 12))
  near(mean(Array.from({ length: N }, () => Number(random.chance(0.2)))), 0.2, 0.4)
})

test('first values of neighbouring streams are uniform and uncorrelated', (t) => {
  const root = seededRandom(11)
  const firsts = Array.from({ length: N }, (_, i) => root.stream(i).float() - 0.5)
  const mean = firsts.reduce((a, b) => a + b, 0) / N
  const lagged = firsts.slice(1).reduce((sum, x, i) => sum + x * (firsts[i] ?? 0), 0) / N
  t.true(Math.abs(mean) < (6 * Math.sqrt(1 / 12)) / Math.sqrt(N))
  t.true(Math.abs(lagged) < 6 / 12 / Math.sqrt(N))
})

test('a shuffle is a permutation, and reaches all of them equally often', (t) => {
  const random = seededRandom(5)
  const counts = new Map<string, number>()
  for (let i = 0; i < N; i++) {
    const key = random.shuffle(['a', 'b', 'c']).join('')
    counts.set(key, (counts.get(key) ?? 0) + 1)
  }
  t.is(counts.size, 6)
  for (const count of counts.values()) t.true(Math.abs(count - N / 6) < 6 * Math.sqrt((N * 5) / 36))
  t.true(['x', 'y'].includes(random.pick(['x', 'y'])))
})
