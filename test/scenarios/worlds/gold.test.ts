import test from 'ava'
import { seededRandom } from '../../../runtime/time/random.js'
import { createGold } from '../../../scenarios/worlds/default/gold.js'
import { createWorld } from '../../../scenarios/worlds/default/world.js'

const gold = createGold({})

/** Request, answer, and the five criteria: relevant, substantial, complete, well-formed, concise. */
type Case = readonly [request: string, answer: string, criteria: string]
const CASES: readonly Case[] = [
  ['name three birds', 'robin crow owl .', '11111'],
  ['name three birds', 'robin crow owl', '11101'],
  ['name three birds', 'robin crow . owl .', '11101'],
  ['name three birds', 'robin crow .', '11011'],
  ['name three birds', 'robin .', '10011'],
  ['name three birds', 'robin crow owl finch .', '11010'],
  ['name three birds', 'robin crow crow .', '11001'],
  ['name three birds', 'robin crow wolf .', '11011'],
  ['name three birds', 'wolf lion fox .', '00000'],
  ['name three birds', 'sure thing robin crow owl .', '11110'],
  ['name three birds', 'robin crow owl have fun .', '11110'],
  ['name three birds', '.', '00000'],
  ['name three birds', '', '00000'],
  ['name three birds', 'of course robin robin wolf fox', '10000'],
  ['name three birds alphabetically', 'crow owl robin .', '11111'],
  ['name three birds alphabetically', 'crow robin owl .', '11011'],
  ['name three birds alphabetically', 'robin owl crow .', '10011'],
  ['name three birds without w', 'robin finch eagle .', '11111'],
  ['name three birds without w', 'robin crow eagle .', '11011'],
  ['name three birds without v', 'crow owl dove .', '11011'],
  ['name two birds and three trees', 'robin crow oak elm ash .', '11111'],
  ['name two birds and three trees', 'oak robin elm crow ash .', '11111'],
  ['name two birds and three trees', 'robin crow owl oak elm .', '11011'],
  ['name two birds and three trees', 'robin oak .', '10011'],
  ['one each birds trees metals', 'iron oak robin .', '11111'],
  ['one each birds trees metals', 'robin crow iron .', '11011'],
  ['name two birds or trees', 'robin oak .', '11111'],
  ['name two birds or trees', 'elm oak .', '11111'],
  ['name two birds or trees', 'elm gold .', '11011'],
  ['what are oak robin iron ?', 'trees birds metals .', '11111'],
  ['what are oak robin iron ?', 'birds trees metals .', '11011'],
  ['what are oak robin iron ?', 'oak robin iron .', '00000'],
  ['what are oak robin ?', 'trees birds metals .', '11010'],
  ['what are oak robin ?', 'trees .', '11011'],
]

for (const [request, answer, expected] of CASES)
  test(`${request} → "${answer}"`, (t) => {
    for (const prompt of [`happy uncle with hammer : ${request}`, `${request} , rainy monday in garden`]) {
      const { criteria, points } = gold.score(prompt, answer)
      t.is(criteria.map(Number).join(''), expected)
      t.is(points, expected.split('1').length - 1)
      t.deepEqual(gold.score(prompt, `${answer} </s>`.trim()).criteria, criteria)
    }
  })

test('a foreign prompt is refused, not scored 0', (t) => {
  t.throws(() => gold.score('tell me a story', 'robin .'), { code: 'E_DATA' })
})

test('the judge set is held out, varied, and the same for the same chance', (t) => {
  const set = gold.judgeSet(300, seededRandom(4))
  t.deepEqual(gold.judgeSet(300, seededRandom(4)), set)
  t.notDeepEqual(gold.judgeSet(300, seededRandom(5)), set)
  const world = createWorld({})
  t.true(set.every(({ prompt }) => world.isHeldOut(prompt)))
  t.is(new Set(set.map(({ prompt }) => prompt)).size, 300)
  t.true(set.every(({ answers }) => answers.length === 4 && new Set(answers).size === 4))
  for (const { prompt, answers, points } of set)
    t.deepEqual(
      points,
      answers.map((answer) => gold.score(prompt, answer).points),
    )
  const of = (k: number) => set.flatMap(({ points }) => points).filter((p) => p === k).length / 1200
  t.true(
    [0, 2, 3, 4, 5].every((k) => of(k) > 0.06),
    [0, 1, 2, 3, 4, 5].map(of).join(' '),
  )
})
