import test from 'ava'
import type { JudgedGroup } from '../../actors/messages.js'
import { worldTokenizer } from '../../actors/policy.js'
import { rewardModelConfig } from '../../actors/reward-config.js'
import { exampleOf, pairsOf, type RewardExample, rewardKinds } from '../../actors/reward-kinds.js'
import { createRewardRater, rewardReader } from '../../actors/reward-rater.js'
import { createRewardTraining } from '../../actors/reward-training.js'
import { bothOrders, type Opinion } from '../../alignment/index.js'
import { addHead } from '../../models/index.js'
import { seededRandom } from '../../runtime/index.js'
import { COMMON, TINY_MODEL, untrained } from './fixtures/alone.js'
import { createWorld } from './fixtures/tiny-world.js'

const world = createWorld()
const tokenizer = worldTokenizer(world)
const reader = rewardReader(world, tokenizer)
const random = seededRandom(2)
const configOf = (kind: 'pointwise' | 'pairwise') =>
  rewardModelConfig.parse({ ...COMMON, kind, prompts: 800, batch: 8, optimizer: { learningRate: 0.003 } })
const headed = () => addHead(TINY_MODEL, untrained(), 'reward', random.stream('head'))

/** Prompts with two answers of different lengths; the longer is preferred with this probability. */
function examples(count: number, probability: number): RewardExample[] {
  const length = (text = '') => text.split(' ').length
  return world.preferences!(2 * count, seededRandom(3), { answers: 2 })
    .filter(({ answers: [a, b] }) => length(a) !== length(b))
    .slice(0, count)
    .map(({ prompt, answers }) => {
      const p = length(answers[0]) > length(answers[1]) ? probability : 1 - probability
      return { prompt, answers, preferred: [0, p, 1 - p, 0] }
    })
}

function groupOf(scores: readonly (number | undefined)[], more: Partial<JudgedGroup> = {}): JudgedGroup {
  return {
    ...{ promptId: '0.0', prompt: 'copy ant bee', version: { start: 0, end: 0 }, judgeVersion: { start: 0, end: 0 } },
    completions: scores.map((_, i) => ({
      ...{ text: `ant ${'bee '.repeat(i)}`.trim(), finish: 'stop' as const },
      ...{ tokens: new Int32Array(1), logprobs: new Float32Array(1) },
    })),
    judgments: scores.map((score) => ({ score, verdicts: [], unreadable: 0 })),
    ...more,
  }
}

test('labels: scores give every strict pair, comparisons what they say; ties and what is unreadable give none', (t) => {
  t.deepEqual(pairsOf(exampleOf(groupOf([3, 1, 3, undefined]), 4)), [
    { i: 0, j: 1, p: 1 },
    { i: 1, j: 2, p: 0 },
  ])
  const opinions: readonly [number, number, Opinion][] = [
    [1, 0, 0.7],
    [0, 2, 'second'],
    [1, 2, 'tie'],
    [0, 3, 'invalid'],
    [2, 3, 0.5],
  ]
  const comparisons = opinions.map(([first, second, opinion]) => ({ first, second, opinion }))
  t.deepEqual(
    pairsOf(exampleOf(groupOf([0, 0, 0, 0], { comparisons }), 4)).map(({ i, j, p }) => [i, j, +p.toFixed(9)]),
    [
      [0, 1, 0.3],
      [0, 2, 0],
      [2, 3, 0.5],
    ],
  )
})

test('a ranker is shown each pair in an order that is drawn, with its label turned accordingly', (t) => {
  const kind = rewardKinds.pairwise(reader, 3, Int32Array.of(1))
  const example = exampleOf(groupOf([2, 1, 1]), 3)
  const text = (first: number, second: number) =>
    reader.two(example.prompt, example.answers[first]!, example.answers[second]!).join(' ')
  const seen = new Set<string>()
  for (let i = 0; i < 20; i++) {
    const { sequences, extras } = kind.lay([example], 2, seededRandom(i))
    t.is(sequences.length, 6)
    const [probability, weight] = extras.map((extra) => ('data' in extra ? [...extra.data] : []))
    t.deepEqual(weight, [0.5, 0.5, 0, 0, 0, 0])
    for (const [row, other] of [1, 2].entries()) {
      const shown = sequences[row]!.join(' ')
      t.is(shown, probability![row] === 1 ? text(0, other) : text(other, 0))
      seen.add(shown)
    }
  }
  t.is(seen.size, 4)
})

test('a ranker in both orders: P(a ≻ b) + P(b ≻ a) = 1, which one order alone does not give', async (t) => {
  const { rater, dispose } = createRewardRater(configOf('pairwise'), headed(), reader)
  const [first, second] = ['ant bee cat', 'koi']
  const matches = [
    { prompt: 'copy ant bee cat', first, second, random },
    { prompt: 'copy ant bee cat', first: second, second: first, random },
  ]
  const [ab, ba] = (await rater.compare(matches)) as [number, number]
  t.true(ab > 0 && ab < 1 && ba > 0 && ba < 1 && Math.abs(ab + ba - 1) > 1e-3, `${ab} ${ba}`)
  const both = (bothOrders(ab, ba) as number) + (bothOrders(ba, ab) as number)
  t.true(Math.abs(both - 1) < 1e-12)
  await t.throwsAsync(rater.score([{ prompt: 'copy ant', answer: 'ant', random }]), { code: 'E_CONFIG' })
  await dispose()
})

test('scores are whitened over what was held out, which keeps their order; comparisons are Bradley–Terry', async (t) => {
  const held = examples(60, 1)
  const model = createRewardRater(configOf('pointwise'), headed(), reader)
  const questions = held.flatMap(({ prompt, answers }) => answers.map((answer) => ({ prompt, answer, random })))
  const scores = async () => (await model.rater.score(questions)).map(({ score }) => score!)
  const raw = await scores()
  const { scale } = await model.measure(held, random)
  model.use(scale)
  const whitened = await scores()
  const mean = whitened.reduce((a, b) => a + b, 0) / whitened.length
  const square = whitened.reduce((a, b) => a + b * b, 0) / whitened.length
  t.true(Math.abs(mean) < 1e-5 && Math.abs(square - 1) < 1e-5, `${mean} ${square}`)
  const order = (of: number[]) => of.map((_, i) => i).sort((a, b) => of[a]! - of[b]!)
  t.deepEqual(order(whitened), order(raw))
  const [p] = await model.rater.compare([
    { prompt: held[0]!.prompt, first: held[0]!.answers[0]!, second: held[0]!.answers[1]!, random },
  ])
  t.true(Math.abs((p as number) - 1 / (1 + Math.exp(raw[1]! - raw[0]!))) < 1e-6)
  await model.dispose()
})

test('soft labels: a model comes to say the labeller’s probability', async (t) => {
  const config = configOf('pointwise')
  const flat = headed()
  const training = createRewardTraining(config, flat, rewardKinds.pointwise(reader, 2, Int32Array.of(1)), random)
  const all = examples(640, 0.8)
  for (const at of [0, 128, 256, 384, 512, 0, 128, 256, 384, 512]) await training.train(all.slice(at, at + 128))
  await training.pull()
  await training.dispose()
  const { rater, dispose } = createRewardRater(config, flat, reader)
  const fresh = all.slice(-100)
  const opinions = await rater.compare(
    fresh.map(({ prompt, answers: [first = '', second = ''] }) => ({ prompt, first, second, random })),
  )
  const ofLonger = opinions.map((p, i) => (fresh[i]!.preferred[1]! > 0.5 ? (p as number) : 1 - (p as number)))
  const mean = ofLonger.reduce((a, b) => a + b, 0) / ofLonger.length
  t.true(Math.abs(mean - 0.8) < 0.06, String(mean))
  await dispose()
})
