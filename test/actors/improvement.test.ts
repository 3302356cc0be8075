import test from 'ava'
import { createImprovement } from '../../actors/improvement.js'
import { createMixPool } from '../../actors/mix-pool.js'
import { createReplay } from '../../actors/objectives/replay.js'
import { seededRandom } from '../../runtime/index.js'
import { groupOf, sequencesOf } from './fixtures/objectives.js'

const random = seededRandom(3, 'improvement')

/** A group whose candidate i has score i of these. */
const scored = (...scores: (number | undefined)[]) =>
  groupOf(
    scores.map((_, i) => `ant ${'bee '.repeat(i)}`.trim()),
    { scores },
  )

/** What a pass selects, as scores in ascending order. */
function passOf(quantile: number, size: number, ...groups: ReturnType<typeof scored>[]) {
  const improvement = createImprovement(random)
  improvement.begin()
  improvement.add(groups)
  const parts = [...improvement.pass(quantile, size, 0)]
  const selected = parts.flat().flatMap(({ group, selected }) => {
    if (!('singles' in selected)) throw new Error('nothing selected')
    return selected.singles.map((i) => group.judgments[i]!.score!)
  })
  return { parts: parts.map((part) => part.length), scores: selected.sort((a, b) => a - b) }
}

test('a pass keeps what is strictly above the quantile of all scores of the iteration, unreadable ones left out', (t) => {
  const groups = [scored(1, 2, undefined), scored(3, 4), scored(5, 6), scored(7, 8), scored(9, 10)]
  // ten scores: the median is 5.5, the 0.8 quantile 8.5
  t.deepEqual(passOf(0.5, 2, ...groups), { parts: [2, 1], scores: [6, 7, 8, 9, 10] })
  t.deepEqual(passOf(0.8, 8, ...groups), { parts: [1], scores: [9, 10] })
  t.deepEqual(passOf(0, 8, ...groups).scores, [2, 3, 4, 5, 6, 7, 8, 9, 10])
})

test('where many have the greatest score, these are kept; where all scores are one, none is', (t) => {
  t.deepEqual(passOf(0.9, 8, scored(5, 5, 2), scored(5, 5, 1)).scores, [5, 5, 5, 5])
  t.deepEqual(passOf(0.5, 8, scored(3, 3), scored(3)).scores, [])
  t.deepEqual(passOf(0.5, 8, scored(undefined)).scores, [])
  t.deepEqual(passOf(0.5, 8).scores, [])
})

test('an iteration begins without the groups of the one before; what is put away comes back', (t) => {
  const improvement = createImprovement(random)
  improvement.add([scored(1, 2)])
  const again = createImprovement(random)
  again.restore(improvement.snapshot())
  t.deepEqual([...again.pass(0.4, 4, 1)], [...improvement.pass(0.4, 4, 1)])
  t.is([...again.pass(0.4, 4, 1)].length, 1)
  improvement.begin()
  t.deepEqual([...improvement.pass(0.4, 4, 1)], [])
})

test('replay gives what earlier iterations selected, as many as are asked for, of as many rounds as are looked back on', (t) => {
  const draws = (rounds: number | 'all', upTo: number) => {
    const replay = createReplay<string>({ rounds, rows: 60 }, random)
    for (let iteration = 0; iteration <= upTo; iteration++) {
      replay.begin(iteration)
      replay.add([`${iteration}a`, `${iteration}b`])
    }
    const drawn = replay.draw(7)
    t.true(drawn.length === 0 || drawn.length === 60)
    return [...new Set(drawn)].sort()
  }
  t.deepEqual(draws('all', 0), [], 'not of the iteration itself')
  t.deepEqual(draws('all', 2), ['0a', '0b', '1a', '1b'])
  t.deepEqual(draws(1, 2), ['1a', '1b'])
  t.deepEqual(draws(2, 3), ['1a', '1b', '2a', '2b'])
  t.deepEqual(draws(0, 2), [])
})

test('each pass of an update draws its own rows to replay, and its own demonstrations', (t) => {
  const replay = createReplay<number>({ rounds: 'all', rows: 8 }, random)
  replay.add(Array.from({ length: 40 }, (_, i) => i))
  replay.begin(1)
  t.deepEqual(replay.draw(3), replay.draw(3, 0))
  t.notDeepEqual(replay.draw(3, 1), replay.draw(3))
  t.notDeepEqual(replay.draw(4), replay.draw(3))
  const pool = createMixPool(random)
  const texts = Array.from({ length: 40 }, (_, i) => `ant ${'bee '.repeat(1 + (i % 5))}${i % 2 ? 'cat' : 'dog'}`)
  pool.add(
    texts.map(() => ({ kind: 'ift', prompt: '', completion: '' })),
    sequencesOf(groupOf(texts)),
  )
  const lengths = (...path: [number, number?, number?]) => pool.draw(8, ...path).map(({ tokens }) => [...tokens])
  t.deepEqual(lengths(3), lengths(3, 0, 0))
  for (const other of [lengths(3, 1), lengths(3, 0, 1), lengths(4)]) t.notDeepEqual(other, lengths(3))
})
