import test from 'ava'
import { pairAccuracy } from '../../../alignment/index.js'
import { seededRandom } from '../../../runtime/time/random.js'
import { createGold } from '../../../scenarios/worlds/default/gold.js'
import { createWorld } from '../../../scenarios/worlds/default/world.js'

const gold = createGold({})
const preferences = (count: number, options: object = {}, answers = 2, seed = 1) =>
  createWorld(options).preferences!(count, seededRandom(seed, 'preferences'), { answers })

/** Fraction of the pairs that both order in which they agree. */
function agreement(options: object): number {
  const sets = preferences(1500, options).map(({ prompt, answers, scores }) => ({
    gold: answers.map((answer) => gold.score(prompt, answer).points),
    judged: scores,
  }))
  const ordered = sets.filter(({ gold: [a, b], judged: [c, d] }) => a !== b && c !== d)
  return pairAccuracy(ordered) as number
}

test('preferences are of distinct prompts that are not held out, with as many distinct answers as asked for', (t) => {
  const world = createWorld({ heldOut: 0.5 })
  const rated = world.preferences!(600, seededRandom(3), { answers: 3 })
  t.is(rated.length, 600)
  t.is(new Set(rated.map(({ prompt }) => prompt)).size, 600)
  t.false(rated.some(({ prompt }) => world.isHeldOut(prompt)))
  for (const { prompt, answers, scores } of rated) {
    t.is(new Set(answers).size, 3, prompt)
    t.is(scores.length, 3)
    t.true(scores.every((score) => [0, 1, 2, 3, 4, 5].includes(score)))
    t.true(answers.every((answer) => answer.split(' ').length < world.limits.answer))
  }
})

test('the seed decides them', (t) => {
  t.deepEqual(preferences(40), preferences(40))
  t.notDeepEqual(preferences(40), preferences(40, {}, 2, 2))
})

test('people order answers as gold does, but for their noise', (t) => {
  t.is(agreement({ annotatorNoise: 0 }), 1)
  // 1,500 pairs, of which about two thirds are ordered by both: a standard error of 0.015 at most
  const usual = agreement({})
  t.true(usual > 0.82 && usual < 0.92, String(usual))
  const blind = agreement({ annotatorNoise: 0.5 })
  t.true(blind > 0.45 && blind < 0.55, String(blind))
})

test('a length bias shows in what people prefer', (t) => {
  const biased = preferences(1500, { lengthBias: 2, annotatorNoise: 0 })
  const longer = biased.filter(({ answers: [a = '', b = ''], scores: [c = 0, d = 0] }) => {
    const [m, n] = [a.split(' ').length, b.split(' ').length]
    return m !== n && c !== d && m > n === c > d
  })
  const ordered = biased.filter(({ scores: [c, d] }) => c !== d)
  t.true(longer.length / ordered.length > 0.6, String(longer.length / ordered.length))
})

test('where nobody errs there are no two answers to choose from, and a prompt with one is left out', (t) => {
  const rated = preferences(300, { slips: 0, junk: 0 })
  t.false(rated.some(({ prompt }) => prompt.includes('what are')))
  const monotonous = {
    ...{ ...seededRandom(1), int: () => 0, float: () => 0, chance: () => false },
    pick: <T>(items: readonly T[]) => items[0] as T,
    shuffle: <T>(items: readonly T[]) => [...items],
  }
  t.throws(() => createWorld({ heldOut: 1e-9 }).preferences!(2, monotonous, { answers: 2 }), {
    code: 'E_CONFIG',
    message: /no 2 prompts with 2 answers each/,
  })
})

test('people answer a prompt as they do in the demonstrations', (t) => {
  const world = createWorld({})
  const mean = (points: readonly number[]) => points.reduce((sum, p) => sum + p, 0) / points.length
  const prompts = world.prompts(200, seededRandom(4), { heldOut: false })
  const answers = prompts.flatMap((prompt) =>
    world.answers!(prompt, 4, seededRandom(4, prompt)).map((answer) => gold.score(prompt, answer).points),
  )
  const shown = world.demonstrations({ ift: 800, eft: 0, prompts: 0 }, seededRandom(5)).map((d) => {
    const [, prompt = ''] = /^<s> (.*) <answer>$/.exec(d.prompt) ?? []
    return gold.score(prompt, d.completion).points
  })
  t.true(Math.abs(mean(answers) - mean(shown)) < 0.25, `${mean(answers)}, ${mean(shown)}`)
  t.deepEqual(world.answers!(prompts[0]!, 3, seededRandom(4)), world.answers!(prompts[0]!, 3, seededRandom(4)))
})
