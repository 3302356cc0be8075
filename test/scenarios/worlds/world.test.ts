import test from 'ava'
import fc from 'fast-check'
import { createPromptPool } from '../../../alignment/index.js'
import { seededRandom } from '../../../runtime/time/random.js'
import { makePrompt, parsePrompt } from '../../../scenarios/worlds/default/prompts.js'
import {
  FAMILIES,
  fitting,
  makeRequest,
  parseRequest,
  type Request,
} from '../../../scenarios/worlds/default/requests.js'
import { CATEGORIES, CATEGORY_NAMES, CONTEXT_WORDS } from '../../../scenarios/worlds/default/vocabulary.js'
import * as worldModule from '../../../scenarios/worlds/default/world.js'

const world = worldModule.createWorld({})

test('the vocabulary is small, without repeats, and content words are unambiguous', (t) => {
  t.true(world.words.length <= 420, String(world.words.length))
  t.is(new Set(world.words).size, world.words.length)
  const content = [
    ...CATEGORY_NAMES.flatMap((name): readonly string[] => CATEGORIES[name]),
    ...Object.values(CONTEXT_WORDS).flat(),
  ]
  t.is(new Set(content).size, content.length)
  for (const name of CATEGORY_NAMES) t.is(CATEGORIES[name].length, 20, name)
  for (const marker of Object.values(world.markers)) t.true(world.words.includes(marker) && /^<.+>$/.test(marker))
})

test('every request can be answered, whatever it leaves out', (t) => {
  const random = seededRandom(8)
  const seen = new Map<string, number>()
  for (let i = 0; i < 2000; i++) {
    const request = parseRequest(makeRequest(random).split(' ')) as Request
    seen.set(request.family, (seen.get(request.family) ?? 0) + 1)
    for (const slot of request.slots) t.true(fitting(request, slot).length >= slot.count)
  }
  for (const family of FAMILIES) t.true((seen.get(family) ?? 0) > 200, family)
})

test('what the grammar makes, it reads', (t) => {
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      const prompt = makePrompt(seededRandom(seed))
      const read = world.readPrompt(prompt)
      return 'prompt' in read && read.prompt === prompt && prompt.split(' ').every((word) => world.words.includes(word))
    }),
    { numRuns: 2000 },
  )
  t.pass()
})

test('a prompt with one word changed is read only if it is one', (t) => {
  fc.assert(
    fc.property(fc.integer(), fc.nat(), fc.nat(), (seed, at, pick) => {
      const words = makePrompt(seededRandom(seed)).split(' ')
      words[at % words.length] = world.words[pick % world.words.length] as string
      const read = parsePrompt(words.join(' '))
      return 'malformed' in read || read.request.slots.every((slot) => fitting(read.request, slot).length >= slot.count)
    }),
    { numRuns: 2000 },
  )
  t.pass()
})

test('malformed prompts are refused with a reason', (t) => {
  const cases: readonly [string, string][] = [
    ['', 'empty'],
    ['name two birds', 'no context'],
    ['happy uncle with hammer : name two', 'no request'],
    ['happy uncle with hammer : name six birds', 'no request'],
    ['happy uncle with hammer : name two birds and two birds', 'no request'],
    ['happy uncle with hammer : name two birds without x', 'no request'],
    ['happy uncle with hammer : one each birds birds trees', 'no request'],
    ['happy uncle with hammer : what are robin crow ?', 'no request'],
    ['happy uncle with monday : name two birds', 'no such context'],
    ['name two birds , happy uncle with hammer', 'no such context'],
    ['name two birds , rainy monday in garden robin .', 'no such context'],
    [`name two birds , ${'rainy '.repeat(12)}`, 'too long'],
  ]
  for (const [text, malformed] of cases) t.deepEqual(world.readPrompt(text), { malformed }, text)
  t.deepEqual(world.readPrompt(' name two  birds , rainy monday in garden </s>'), {
    prompt: 'name two birds , rainy monday in garden',
  })
})

test('verdicts: the last score decides, anything else is unreadable', (t) => {
  const cases: readonly [string, number | string][] = [
    ['yes yes so yes yes yes yes yes score five </s>', 5],
    ['yes yes so yes yes yes yes yes score five', 5],
    ['so no no no no no score zero', 0],
    ['yes no yes so yes yes no no no score five', 5], // contradicts its criteria: the score decides
    ['score one', 1],
    ['score two score three', 3],
    ['  yes   score\nfour  ', 4],
    ['', 'no score'],
    ['yes yes so yes yes yes', 'no score'],
    ['five', 'no score'],
    ['yes so yes no score', 'cut off before the score'],
    ['yes so yes no score </s>', 'cut off before the score'],
    ['yes so yes score yes', '"yes" is not a score'],
    ['score 5', '"5" is not a score'],
    ['score five five', 'words after the score'],
    ['score five robin', 'words after the score'],
  ]
  for (const [text, expected] of cases) {
    const verdict = world.readVerdict(text)
    t.is(verdict.readable ? verdict.score : verdict.reason, expected, text)
  }
})

test('held-out prompts are a tenth, and never demonstrated', (t) => {
  const random = seededRandom(7)
  const all = Array.from({ length: 5000 }, () => makePrompt(random))
  const fraction = all.filter((prompt) => world.isHeldOut(prompt)).length / all.length
  t.true(Math.abs(fraction - 0.1) < 0.02, String(fraction))
  const demonstrations = world.demonstrations({ ift: 400, eft: 400, prompts: 200 }, seededRandom(1))
  for (const { prompt, completion, kind } of demonstrations) {
    const text = kind === 'prompts' ? `${prompt} ${completion}` : prompt
    const prompts = text
      .split(/<\S+>/)
      .map((part) => part.trim())
      .filter((part) => part.includes(' '))
    for (const part of prompts.filter((p) => / [:,] /.test(` ${p} `))) t.false(world.isHeldOut(part), part)
  }
  const [train, held] = [false, true].map((heldOut) => world.prompts(300, seededRandom(2), { heldOut }))
  t.is(new Set([...(train as string[]), ...(held as string[])]).size, 600)
  t.true(held?.every(world.isHeldOut) && !train?.some(world.isHeldOut))
})

test('demonstrations: counts, limits, known words, one end; the same for the same chance', (t) => {
  const counts = { ift: 300, eft: 301, prompts: 100 }
  const all = world.demonstrations(counts, seededRandom(1))
  t.deepEqual(world.demonstrations(counts, seededRandom(1)), all)
  const { answer, verdict, prompt, context } = world.limits
  const most: Record<string, number> = { ift: answer, eft: verdict, prompts: prompt }
  for (const kind of ['ift', 'eft', 'prompts'] as const) t.is(all.filter((d) => d.kind === kind).length, counts[kind])
  for (const d of all) {
    const [head, tail] = [d.prompt.split(' '), d.completion.split(' ')]
    t.true(tail.length <= (most[d.kind] ?? 0) && head.length + tail.length <= context, d.completion)
    t.true(
      [...head, ...tail].every((word) => world.words.includes(word)),
      d.prompt,
    )
    t.is(head[0], world.markers.begin)
    t.is(tail.indexOf(world.markers.end), tail.length - 1)
    if (d.kind === 'ift') t.true(head.length + tail.length <= 40)
    if (d.kind === 'eft') t.true(head.length + tail.length <= 64 && world.readVerdict(d.completion).readable)
    if (d.kind === 'prompts') t.true('prompt' in world.readPrompt(d.completion))
  }
  const kinds = all.map(({ kind }) => kind).slice(0, 60)
  t.is(new Set(kinds).size, 3) // shuffled
})

test('a verdict has one mark for each word of its answer', (t) => {
  for (const { prompt, completion } of world.demonstrations({ ift: 0, eft: 300, prompts: 0 }, seededRandom(3))) {
    const answer = (prompt.split('<answer>')[1] ?? '').replace('<judge>', '').trim().split(' ').filter(Boolean)
    const [marks = '', rest = ''] = completion.split(/(?:^| )so /)
    t.is(marks.split(' ').filter(Boolean).length, answer.length)
    t.regex(rest, /^((yes|no) ){5}score (zero|one|two|three|four|five) <\/s>$/)
  }
})

test('contexts are what the models read', (t) => {
  t.is(world.answerContext('p q'), '<s> p q <answer>')
  t.is(world.judgeContext('p q', 'a .'), '<s> p q <answer> a . <judge>')
  t.is(world.judgeContext('p q', ''), '<s> p q <answer> <judge>')
  t.is(world.promptContext(['p', 'q r']), '<s> <prompts> p <next> q r <next>')
})

test('the world gives no scorer away', (t) => {
  t.deepEqual(Object.keys(worldModule), ['createWorld'])
  t.false('score' in world)
})

test('unknown and wrong options are named', (t) => {
  const error = t.throws(() => worldModule.createWorld({ slip: 1 }), { code: 'E_CONFIG' })
  t.regex(error?.message ?? '', /slip/)
  t.throws(() => worldModule.createWorld({ annotatorNoise: 0.7 }), { code: 'E_CONFIG' })
  t.throws(() => worldModule.createWorld(3), { code: 'E_CONFIG' })
  t.notThrows(() => worldModule.createWorld(undefined))
})

test('prompts stay inventable: at 4,000 in the pool more than half of new ones differ by ROUGE-L < 0.7', (t) => {
  const random = seededRandom(21)
  const pool = createPromptPool(world.prompts(200, random, { heldOut: false }))
  while (pool.size < 4000) {
    const prompt = makePrompt(random)
    if (pool.greatestRougeL(prompt) < 0.7) pool.add(prompt)
  }
  const fresh = Array.from({ length: 500 }, () => makePrompt(random)).filter((p) => pool.greatestRougeL(p) < 0.7)
  t.true(fresh.length / 500 > 0.5, String(fresh.length / 500))
})

test('more prompts than there are, or of an empty side, are refused in a sentence', (t) => {
  const always = { ...seededRandom(1), int: () => 0, float: () => 0, chance: () => false }
  const monotonous = {
    ...always,
    pick: <T>(items: readonly T[]) => items[0] as T,
    shuffle: <T>(items: readonly T[]) => [...items],
  }
  t.throws(() => world.prompts(1000, monotonous, { heldOut: false }), { code: 'E_CONFIG' })
  const narrow = worldModule.createWorld({ heldOut: 1e-12 })
  t.throws(() => narrow.prompts(1, seededRandom(1), { heldOut: true }), { code: 'E_CONFIG', message: /no prompt in/ })
})
