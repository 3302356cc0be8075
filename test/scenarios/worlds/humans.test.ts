import test from 'ava'
import { pairAccuracy } from '../../../alignment/index.js'
import { seededRandom } from '../../../runtime/time/random.js'
import { annotate, verdictText } from '../../../scenarios/worlds/default/annotators.js'
import { judged, requestOf } from '../../../scenarios/worlds/default/demonstrations.js'
import { createGold } from '../../../scenarios/worlds/default/gold.js'
import { SLIP_RATES, somebody, writeAnswer } from '../../../scenarios/worlds/default/humans.js'
import { readOptions } from '../../../scenarios/worlds/default/options.js'
import { parseRequest, type Request } from '../../../scenarios/worlds/default/requests.js'
import { assess } from '../../../scenarios/worlds/default/rubric.js'
import { drawPrompts } from '../../../scenarios/worlds/default/split.js'
import { kindOf } from '../../../scenarios/worlds/default/vocabulary.js'

const request = (text: string): Request => parseRequest(text.split(' ')) as Request
const mean = (values: readonly boolean[]) => values.filter(Boolean).length / values.length
const near = (a: number, b: number, tolerance: number) => Math.abs(a - b) < tolerance

/** 4,000 answers of one person; a rate's standard error is at most 0.008. */
function answers(text: string, slips: number): string[][] {
  const random = seededRandom(11, text, slips)
  return Array.from({ length: 4000 }, () => writeAnswer(request(text), slips, random).split(' '))
}

test('careful people are faultless', (t) => {
  for (const prompt of drawPrompts(500, seededRandom(3), false, 0.1)) {
    const answer = writeAnswer(requestOf(prompt), 0, seededRandom(3, prompt))
    t.is(assess(requestOf(prompt), answer.split(' ')).points, 5, `${prompt} → ${answer}`)
  }
})

for (const slips of [0.5, 1, 1.6])
  test(`people slip at their rates, × ${slips}`, (t) => {
    const plain = answers('name four birds', slips)
    const things = plain.map((words) => words.filter((word) => kindOf(word) !== undefined))
    const rate = (kind: keyof typeof SLIP_RATES) => SLIP_RATES[kind] * slips
    t.true(near(mean(plain.map((words) => words.at(-1) !== '.')), rate('noStop'), 0.025))
    t.true(near(mean(plain.map((words) => kindOf(words[0] as string) === undefined)), rate('before'), 0.025))
    t.true(near(mean(plain.map((words) => /luck|fun|care/.test(words.join(' ')))), rate('after'), 0.025))
    t.true(near(mean(things.map((words) => words.length === 3)), rate('drop'), 0.025))
    t.true(near(mean(things.map((words) => words.length === 5)), (1 - rate('drop')) * rate('extra'), 0.025))
    const first = things.map((words) => kindOf(words[0] as string) === 'animals')
    t.true(near(mean(first), rate('confuse'), 0.025))
    t.true(mean(things.map((words) => new Set(words).size < words.length)) > 0.6 * rate('repeat'))
  })

test('order and forbidden letters are overlooked at their rates', (t) => {
  const sorted = answers('name four cities alphabetically', 1).map((words) => words.filter((word) => kindOf(word)))
  const inOrder = sorted.map((words) => words.every((word, i) => i === 0 || (words[i - 1] as string) <= word))
  // 0.4 forget the order, 1 of 24 orders is right by luck, an extra or repeated word may break it too
  t.true(near(1 - mean(inOrder), 0.5, 0.08), String(1 - mean(inOrder)))
  const letters = answers('name two birds without w', 1).map((words) =>
    words.some((word) => kindOf(word) && word.includes('w')),
  )
  t.true(mean(letters) > 0.1 && mean(letters) < 0.35, String(mean(letters)))
})

test('a fifth are careful, half ordinary, three tenths careless', (t) => {
  const random = seededRandom(9)
  const people = Array.from({ length: 5000 }, () => somebody(random))
  for (const [slips, share] of [
    [0, 0.2],
    [1, 0.5],
    [1.6, 0.3],
  ] as const)
    t.true(near(mean(people.map((p) => p === slips)), share, 0.025))
})

test('without noise a judge is the rubric; the text says what was seen', (t) => {
  const answer = 'sure thing robin wolf owl'.split(' ')
  const annotation = annotate(
    request('name three birds'),
    answer,
    { annotatorNoise: 0, lengthBias: 0 },
    seededRandom(1),
  )
  t.is(verdictText(annotation), 'no no yes no yes so yes yes no no no score two')
})

test('each criterion flips at the rate of noise; looking irrelevant takes all', (t) => {
  const random = seededRandom(2)
  const perfect = 'robin crow owl .'.split(' ')
  const seen = Array.from({ length: 4000 }, () =>
    annotate(request('name three birds'), perfect, { annotatorNoise: 0.1, lengthBias: 0 }, random),
  )
  t.true(near(mean(seen.map(({ score }) => score === 5)), 0.9 ** 5, 0.025))
  t.true(near(mean(seen.map(({ score }) => score === 0)), 0.1, 0.02))
  t.true(near(mean(seen.map(({ score }) => score === 4)), 0.9 * 4 * 0.1 * 0.9 ** 3, 0.025))
})

test('a length bias adds points for words beyond what was asked', (t) => {
  const judge = (answer: string, lengthBias: number) =>
    annotate(request('name two birds'), answer.split(' '), { annotatorNoise: 0, lengthBias }, seededRandom(1)).score
  t.is(judge('robin crow good luck .', 0), 4)
  t.is(judge('robin crow good luck .', 0.5), 5)
  t.is(judge('robin wolf sure thing .', 0.5), 4)
  t.is(judge('robin .', 1), 3)
})

test('two people agree on as many pairs as those of the papers: 73–82 %', (t) => {
  const options = readOptions({})
  const random = seededRandom(5)
  const set = createGold({}).judgeSet(800, random)
  const scores = () =>
    set.map(({ prompt, answers }) =>
      answers.map((answer) => annotate(requestOf(prompt), answer.split(' '), options, random).score),
    )
  const [mine, yours] = [scores(), scores()]
  // pairs that both of them order
  const strict = mine
    .map((gold, i) => ({ gold, judged: yours[i] as number[] }))
    .flatMap(({ gold, judged }) =>
      gold.flatMap((g, a) =>
        gold.slice(a + 1).flatMap((h, k) => {
          const [x, y] = [judged[a] as number, judged[a + 1 + k] as number]
          return g === h || x === y ? [] : [{ gold: [g, h], judged: [x, y] }]
        }),
      ),
    )
  const agreement = pairAccuracy(strict) as number
  t.true(agreement > 0.73 && agreement < 0.82, String(agreement))
})

test('judgments that survive the ranking are nearer to gold than those written', (t) => {
  const options = readOptions({ annotatorNoise: 0.2 })
  const random = seededRandom(6)
  const gold = createGold({})
  let [kept, exact, groups] = [0, 0, 0]
  while (groups++ < 1500)
    for (const { prompt, completion } of judged(random, options)) {
      const [instruction = '', answer = ''] = prompt
        .replace('<s> ', '')
        .replace(/ ?<judge>/, '')
        .split(/ <answer> ?/)
      const score = ['zero', 'one', 'two', 'three', 'four', 'five'].indexOf(completion.split(' ').at(-2) as string)
      kept++
      if (score === gold.score(instruction, answer).points) exact++
    }
  // written: 42 % are exact at this noise; of each four, about half survive
  t.true(kept / 6000 > 0.4 && kept / 6000 < 0.65, String(kept / 6000))
  t.true(exact / kept > 0.46, String(exact / kept))
})
