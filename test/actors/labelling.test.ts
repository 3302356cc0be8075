import test from 'ava'
import fc from 'fast-check'
import { type Label, labelGroups, labelSchema } from '../../actors/labelling.js'
import type { Match, Question, Rater } from '../../actors/rater.js'
import { type Opinion, probabilityOf, verdictOf } from '../../alignment/index.js'
import { seededRandom, TroupeError } from '../../runtime/index.js'

const label = (more: Partial<Label> = {}): Label => labelSchema.parse(more)
const random = seededRandom(1, 'labels')
const group = (texts: readonly string[], promptId = 'p') => ({
  promptId,
  prompt: `prompt ${promptId}`,
  completions: texts.map((text) => ({ text })),
})

/** Knows the worth of each text by heart, and writes down what it was asked. */
function raterOf(compare: (match: Match) => Opinion, score: (question: Question) => number | undefined = () => 0) {
  const calls: (readonly (Match | Question)[])[] = []
  const rater: Rater = {
    async score(questions) {
      calls.push(questions)
      return questions.map((question) => {
        const points = score(question)
        return points === undefined
          ? { verdicts: [], unreadable: 1 }
          : { score: points, verdicts: [points], unreadable: 0 }
      })
    },
    async compare(matches) {
      calls.push(matches)
      return matches.map(compare)
    },
  }
  return { rater, calls }
}
const worth = (text: string) => Number(text)
/** Bradley-Terry of the texts' worths. */
const fair = ({ first, second }: Match) => 1 / (1 + Math.exp(worth(second) - worth(first)))
const asked = (calls: readonly (readonly (Match | Question)[])[]) =>
  calls.flat().map((one) => ('answer' in one ? one.answer : `${one.first} ${one.second}`))

test('points: each text of a prompt is scored once, all prompts in one call; what cannot be read has no score', async (t) => {
  const { rater, calls } = raterOf(
    () => 'invalid',
    ({ answer }) => (answer === 'x' ? undefined : worth(answer)),
  )
  const [one, two] = await labelGroups(rater, [group(['3', 'x', '3'], 'a'), group(['3'], 'b')], label(), random)
  const three = { score: 3, verdicts: [3], unreadable: 0 }
  t.deepEqual(one, { judgments: [three, { verdicts: [], unreadable: 1 }, three], swaps: [] })
  t.deepEqual(two, { judgments: [three], swaps: [] })
  t.is(calls.length, 1)
  t.deepEqual(asked(calls), ['3', 'x', '3'])
})

test('an annotator that gives one answer .70 when shown first and .40 when shown second means .55; in one order it means .70', async (t) => {
  const { rater, calls } = raterOf(({ first }) => (first === 'good' ? 0.7 : 0.6)) // P(first) of (b, a) is 1 − .40
  const [both] = await labelGroups(rater, [group(['good', 'bad'])], label({ by: 'pairs' }), random)
  const { opinion, ...shown } = both!.comparisons![0]!
  t.deepEqual(shown, { first: 0, second: 1 })
  t.true(Math.abs((opinion as number) - 0.55) < 1e-12, `${opinion}`)
  t.deepEqual(both!.swaps, [{ ab: 0.7, ba: 0.6 }])
  t.deepEqual(asked(calls), ['good bad', 'bad good'])
  const [one] = await labelGroups(rater, [group(['good', 'bad'])], label({ by: 'pairs', orders: 'one' }), random)
  t.deepEqual(one!.comparisons, [{ first: 0, second: 1, opinion: 0.7 }])
  t.deepEqual(one!.swaps, [])
  t.deepEqual(one!.judgments, Array(2).fill({ verdicts: [], unreadable: 0 }))
})

test('with both orders P(a, b) + P(b, a) = 1, whatever the liking for a place; half an answer is none', async (t) => {
  const opinion = fc.oneof(
    fc.double({ min: 0, max: 1, noNaN: true }),
    fc.constantFrom<Opinion>('tie', 'first', 'second'),
  )
  await fc.assert(
    fc.asyncProperty(opinion, opinion, async (ab, ba) => {
      const { rater } = raterOf(({ first }) => (first === 'a' ? ab : ba))
      const of = async (texts: string[]) =>
        (await labelGroups(rater, [group(texts)], label({ by: 'pairs' }), random))[0]!.comparisons![0]!.opinion
      const [forth, back] = [await of(['a', 'b']), await of(['b', 'a'])]
      t.true(Math.abs(probabilityOf(forth)! + probabilityOf(back)! - 1) < 1e-12)
    }),
  )
  const { rater } = raterOf(({ first }) => (first === 'a' ? 0.9 : 'invalid'))
  const [labelled] = await labelGroups(rater, [group(['a', 'b'])], label({ by: 'pairs' }), random)
  t.is(labelled!.comparisons![0]!.opinion, 'invalid')
})

test('all pairs of K are C(K, 2), neighbours K/2; equal texts tie without being asked about and share opinions', async (t) => {
  const of = async (texts: string[], more: Partial<Label>) => {
    const { rater, calls } = raterOf(fair)
    const [labelled] = await labelGroups(rater, [group(texts)], label({ by: 'pairs', orders: 'one', ...more }), random)
    return { comparisons: labelled!.comparisons!, asked: asked(calls) }
  }
  const texts = ['1', '2', '3', '4', '5']
  t.is((await of(texts, {})).comparisons.length, 10)
  const places = ({ comparisons }: Awaited<ReturnType<typeof of>>) => comparisons.map((c) => [c.first, c.second])
  t.deepEqual(places(await of(texts, { which: 'neighbours' })), [
    [0, 1],
    [2, 3],
  ])
  const doubled = await of(['1', '2', '1'], {})
  t.deepEqual(doubled.asked, ['1 2'])
  t.deepEqual(doubled.comparisons, [
    { first: 0, second: 1, opinion: fair({ first: '1', second: '2' } as Match) },
    { first: 0, second: 2, opinion: 'tie' },
    { first: 2, second: 1, opinion: fair({ first: '1', second: '2' } as Match) },
  ])
  t.deepEqual((await of(['1', '1'], {})).asked, [])
})

test('a tournament of m texts has m − 1 matches in ⌈log₂ m⌉ calls, and the best goes through all of them', async (t) => {
  const { rater, calls } = raterOf(fair)
  const sizes = [1, 2, 5, 8]
  const groups = sizes.map((size) =>
    group(
      Array.from({ length: size }, (_, i) => `${i}`),
      `${size}`,
    ),
  )
  const labelled = await labelGroups(rater, groups, label({ by: 'tournament' }), random)
  t.deepEqual(
    labelled.map(({ comparisons }) => comparisons!.length),
    [0, 1, 4, 7],
  )
  t.is(calls.length, 3)
  t.is(calls.flat().length, 2 * 12)
  for (const [i, size] of sizes.entries()) {
    if (size === 1) continue
    const last = labelled[i]!.comparisons!.at(-1)!
    const winner = verdictOf(last.opinion) === 'first' ? last.first : last.second
    t.is(winner, size - 1)
  }
  const [same] = await labelGroups(rater, [group(['4', '4', '7'])], label({ by: 'tournament' }), random)
  t.deepEqual(
    same!.comparisons!.map(({ first, second }) => [first, second]),
    [[0, 2]],
  )
})

const texts = Array.from({ length: 16 }, (_, i) => `${i}`)
const accepted = (comparisons: readonly { first: number; second: number }[]) =>
  comparisons.flatMap(({ first, second }) => [first, second]).sort((a, b) => a - b)

test('rejection: β = 0 accepts the best, a great β any; the accepted meet in disjoint pairs, or in a knock-out', async (t) => {
  const { rater, calls } = raterOf(fair, ({ answer }) => worth(answer))
  const of = async (more: Partial<Label>, promptId = 'p') =>
    (await labelGroups(rater, [group(texts, promptId)], label({ by: 'rejection', ...more }), random))[0]!
  for (const draw of ['rejection', 'gumbel'] as const) {
    const { comparisons, judgments } = await of({ beta: 0, draw })
    t.deepEqual(accepted(comparisons!), [8, 9, 10, 11, 12, 13, 14, 15])
    t.deepEqual(
      judgments.map(({ score }) => score),
      texts.map(worth),
    )
  }
  t.is(calls.length, 4)
  t.is((await of({ beta: 0, rank: 'tournament' })).comparisons!.length, 7)
  const met = Array(texts.length).fill(0)
  for (let i = 0; i < 400; i++)
    for (const one of accepted((await of({ beta: 1e12, accept: 4 }, `${i}`)).comparisons!)) met[one]++
  for (const times of met) t.true(Math.abs(times - 100) < 40, `${met}`) // 4 of 16, 400 times: 100 ± 8.7
})

test('rejection without a score: the reward is the logit of winning against a baseline, whose own is 0', async (t) => {
  const { rater, calls } = raterOf(fair)
  const options = label({ by: 'rejection', rewards: 'pairwise', accept: 4, beta: 0 })
  const [labelled] = await labelGroups(rater, [group(texts)], options, random)
  const scores = labelled!.judgments.map(({ score }) => score!)
  const baseline = scores.indexOf(0)
  t.true(
    scores.every((score, i) => Math.abs(score - (i - baseline)) < 1e-6),
    `${scores}`,
  )
  t.deepEqual(accepted(labelled!.comparisons!), [12, 13, 14, 15])
  t.deepEqual(
    calls.map(({ length }) => length),
    [30, 4],
  )
  const hard = raterOf((match) => (fair(match) > 0.5 ? 'first' : 'second')).rater
  const [verdicts] = await labelGroups(hard, [group(texts)], options, random)
  const logit = Math.log(1e-6 / (1 - 1e-6))
  for (const { score } of verdicts!.judgments) t.true([logit, 0, -logit].some((one) => Math.abs(one - score!) < 1e-6))
})

test('an invalid comparison gives no reward, and what has none is never accepted', async (t) => {
  const { rater } = raterOf((match) => ([match.first, match.second].includes('15') ? 'invalid' : fair(match)))
  const options = label({ by: 'rejection', rewards: 'pairwise', accept: 16 })
  for (let i = 0; i < 20; i++) {
    const [labelled] = await labelGroups(rater, [group(texts, `${i}`)], options, random)
    const readable = labelled!.judgments.flatMap(({ score }, j) => (score === undefined ? [] : [j]))
    if (readable.length === 1) continue // the unreadable one was the baseline: nothing is left to compare
    t.deepEqual(readable, texts.slice(0, 15).map(worth))
    t.deepEqual(labelled!.judgments[15], { verdicts: [], unreadable: 1 })
    t.is(labelled!.comparisons!.length, 7)
  }
})

test('how a prompt is rated does not depend on the prompts that come with it', async (t) => {
  const noisy = raterOf(
    ({ random }) => random.float(),
    ({ random }) => random.float(),
  ).rater
  const others = [group(['a', 'b', 'c'], 'first'), group(['d', 'e'], 'second')]
  for (const by of ['points', 'pairs', 'tournament', 'rejection'] as const)
    for (const rewards of ['pointwise', 'pairwise'] as const) {
      const options = label({ by, rewards, accept: 4 })
      const [alone] = await labelGroups(noisy, [group(texts)], options, random)
      const together = await labelGroups(noisy, [...others, group(texts)], options, random)
      t.deepEqual(together[2], alone, by)
      t.notDeepEqual((await labelGroups(noisy, [group(texts, 'q')], options, random))[0], alone)
    }
})

test('what a rater cannot do it refuses; groups without completions are no work', async (t) => {
  const refusing: Rater = {
    score: () => Promise.reject(new TroupeError('E_CONFIG', 'only compares')),
    compare: () => Promise.reject(new TroupeError('E_CONFIG', 'only scores')),
  }
  await t.throwsAsync(labelGroups(refusing, [group(['a', 'b'])], label(), random), { code: 'E_CONFIG' })
  await t.throwsAsync(labelGroups(refusing, [group(['a', 'b'])], label({ by: 'pairs' }), random), { code: 'E_CONFIG' })
  for (const by of ['points', 'pairs', 'tournament', 'rejection'] as const)
    t.deepEqual((await labelGroups(refusing, [group([])], label({ by }), random))[0]!.judgments, [])
})
