import test from 'ava'
import { bothOrders, type Opinion, probabilityOf } from '../../../alignment/index.js'
import { seededRandom } from '../../../runtime/time/random.js'
import { createAnnotator } from '../../../scenarios/worlds/default/annotator.js'
import { createGold } from '../../../scenarios/worlds/default/gold.js'
import { worlds } from '../../../scenarios/worlds/index.js'

const PROMPT = 'sleepy nurse with willow : name four birds'
const PERFECT = 'robin crow owl swan .'
const COURTEOUS = 'robin crow owl swan good luck .' // not concise
const SHORT = 'robin crow .' // substantial, not complete
const random = seededRandom(4)
const near = (a: number, b: number, tolerance: number) => Math.abs(a - b) < tolerance
const sigmoid = (x: number) => 1 / (1 + Math.exp(-x))
const ask = (options: object, first: string, second: string) =>
  createAnnotator({ noise: 0, ...options }).compare(PROMPT, first, second, random)

test('without noise its points are gold’s, and P is the logistic function of their difference', (t) => {
  const annotator = createAnnotator({ noise: 0 })
  for (const { prompt, answers, points } of createGold({}).judgeSet(60, random)) {
    t.deepEqual(
      answers.map((answer) => annotator.score(prompt, answer, random)),
      points,
    )
    const [a = '', b = ''] = answers
    const opinion = annotator.compare(prompt, a, b, random) as number
    t.true(near(opinion, sigmoid(points[0]! - points[1]!), 1e-12))
    t.true(near(opinion + (annotator.compare(prompt, b, a, random) as number), 1, 1e-12))
  }
})

test('temperature divides the lead; 0 is a hard verdict, and a tie at no difference', (t) => {
  t.is(ask({ temperature: 2 }, PERFECT, COURTEOUS), sigmoid(0.5))
  t.is(ask({ temperature: 0 }, PERFECT, COURTEOUS), 'first')
  t.is(ask({ temperature: 0 }, COURTEOUS, PERFECT), 'second')
  t.is(ask({ temperature: 0 }, PERFECT, 'owl crow robin swan .'), 'tie')
})

test('the first place is worth its bias in points; both orders averaged are without it', (t) => {
  t.is(ask({ positionBias: 0.5 }, PERFECT, COURTEOUS), sigmoid(1.5))
  t.is(ask({ positionBias: 0.5 }, COURTEOUS, PERFECT), sigmoid(-0.5))
  t.is(ask({ positionBias: 1.5, temperature: 0 }, COURTEOUS, PERFECT), 'first')
  const averaged = bothOrders(
    ask({ positionBias: 3 }, COURTEOUS, PERFECT),
    ask({ positionBias: 3 }, PERFECT, COURTEOUS),
  )
  t.true(near(averaged as number, 0.5 + (sigmoid(2) - sigmoid(4)) / 2, 1e-12))
  t.true((averaged as number) < 0.5)
  t.true(
    near(
      bothOrders(ask({ positionBias: 3 }, SHORT, SHORT), ask({ positionBias: 3 }, SHORT, SHORT)) as number,
      0.5,
      1e-12,
    ),
  )
})

test('each criterion is got wrong at the rate of noise, anew at each look', (t) => {
  const annotator = createAnnotator({ noise: 0.1 })
  const seen = Array.from({ length: 4000 }, () => annotator.score(PROMPT, PERFECT, random))
  const rate = (points: number) => seen.filter((score) => score === points).length / seen.length
  t.true(near(rate(5), 0.9 ** 5, 0.025))
  t.true(near(rate(4), 4 * 0.1 * 0.9 ** 4, 0.025))
  t.true(near(rate(0), 0.1, 0.02))
})

test('the stronger annotator agrees more often with gold: 84, 72, 62 % (± 2)', (t) => {
  const set = createGold({}).judgeSet(800, seededRandom(5))
  const agreement = (options: object) => {
    const annotator = createAnnotator({ temperature: 0, ...options })
    const looks = seededRandom(6)
    const right = set.flatMap(({ prompt, answers, points }) =>
      answers.flatMap((a, i) =>
        answers.slice(i + 1).flatMap((b, k) => {
          const lead = points[i]! - points[i + 1 + k]!
          const p = probabilityOf(annotator.compare(prompt, a, b, looks) as Opinion)!
          return lead === 0 ? [] : [lead > 0 ? p : 1 - p]
        }),
      ),
    )
    return right.reduce((a, b) => a + b, 0) / right.length
  }
  t.true(near(agreement({}), 0.84, 0.02))
  t.true(near(agreement({ strength: 'medium' }), 0.72, 0.02))
  t.true(near(agreement({ strength: 'small' }), 0.62, 0.02))
  t.is(agreement({ strength: 'small', noise: 0 }), 1)
})

test('it follows its instruction: each word costs 0.6 or 1.2 points, or is worth 0.6', (t) => {
  const lead = (instruction: string, a: string, b: string) => {
    const p = ask({ instruction }, a, b) as number
    return Math.log(p / (1 - p))
  }
  const table = [
    ['', 1, -2],
    ['prefer shorter', 1 + 2 * 0.6, -2 + 2 * 0.6],
    ['prefer much shorter', 1 + 2 * 1.2, -2 + 2 * 1.2],
    ['prefer longer', 1 - 2 * 0.6, -2 - 2 * 0.6],
  ] as const
  for (const [instruction, overCourtesy, ofShort] of table) {
    t.true(near(lead(instruction, PERFECT, COURTEOUS), overCourtesy, 1e-9), instruction)
    t.true(near(lead(instruction, SHORT, PERFECT), ofShort + 1, 1e-9), instruction) // complete is the one point lost
  }
  const biased = ask({ lengthBias: 0.5 }, PERFECT, COURTEOUS)
  t.true(near(biased as number, 0.5, 1e-12), 'a bias of half a point a word makes up for two words of courtesy')
})

test('an unknown instruction or option is refused, and what it knows is named; of other prompts it says nothing', (t) => {
  const refused = t.throws(() => createAnnotator({ instruction: 'be kind' }), { code: 'E_CONFIG' } as object) as Error
  t.regex(refused.message, /"prefer shorter", "prefer much shorter", "prefer longer"/)
  t.throws(() => createAnnotator({ noisy: 1 }), { code: 'E_CONFIG' } as object)
  t.throws(() => createAnnotator({ instruction: 'toString' }), { code: 'E_CONFIG' } as object)
  const annotator = createAnnotator({})
  t.is(annotator.score('no prompt', PERFECT, random), undefined)
  t.is(annotator.compare('no prompt', PERFECT, SHORT, random), 'invalid')
})

test('the world says where its annotator is', async (t) => {
  const { createAnnotator: named } = await import(worlds.default.annotator)
  t.is(named({ noise: 0 }).score(PROMPT, PERFECT, random), 5)
})
