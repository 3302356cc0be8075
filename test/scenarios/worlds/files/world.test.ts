import { rmSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { seededRandom } from '../../../../runtime/index.js'
import { createWorld } from '../../../../scenarios/worlds/files/world.js'
import { jsonLines, ownModel, ownPrompts, PAIRS } from '../../fixtures/own-model.js'

const random = seededRandom(1, 'own')
const LIMITS = { answer: 6 }

async function opened(options: Record<string, unknown>) {
  const world = await createWorld({ model: await ownModel(), limits: LIMITS, heldOut: 0.25, ...options })
  await world.open?.()
  return world
}

test('texts are as the chat template writes them; the model ends where its folder says', async (t) => {
  const world = await opened({ prompts: ownPrompts() })
  const { tokenizer } = world
  t.is(world.answerContext('name oak fig'), '<s> name oak fig <score> ')
  t.is(tokenizer!.decode(world.answerTokens!('name oak fig', 'oak , fig')), 'oak , fig </s>')
  t.deepEqual(world.stopTokens, [2, 3])
  t.deepEqual(world.limits, { answer: 6, verdict: 256, preference: 256, prompt: 128, context: 64 })
  const plain = await opened({ prompts: ownPrompts(), template: 'plain' })
  t.is(plain.answerContext('name oak fig'), 'name oak fig')
  t.is((await opened({ prompts: ownPrompts(), limits: { ...LIMITS, context: 32 } })).limits.context, 32)
})

test('prompts are split by a hash of each, and trained on pass after pass', async (t) => {
  const world = await opened({ prompts: ownPrompts() })
  const heldOut = world.prompts(1000, random, { heldOut: true })
  const train = world.prompts(20 - heldOut.length, random, { heldOut: false })
  t.true(heldOut.length > 0 && heldOut.length < 12, String(heldOut.length))
  t.is(new Set([...heldOut, ...train]).size, 20)
  t.true(heldOut.every(world.isHeldOut) && !train.some(world.isHeldOut))
  t.is(world.prompts(2, random, { heldOut: true }).length, 2)
  const passes = world.prompts(2 * train.length + 1, random, { heldOut: false })
  t.deepEqual([...new Set(passes.slice(0, train.length))].sort(), [...train].sort(), 'the first pass has each once')
  t.deepEqual(passes.slice(train.length, -1).sort(), [...train].sort(), 'as has the second')
  t.notDeepEqual(passes.slice(train.length, -1), passes.slice(0, train.length), 'in another order')
  t.deepEqual(world.prompts(passes.length, random, { heldOut: false }), passes, 'the same whenever it is asked')
})

test('pairs give preferences, prompts, answers and demonstrations, held-out ones none of these but prompts', async (t) => {
  const world = await opened({ pairs: PAIRS })
  const pairs = world.preferences!(60, random, { answers: 2 })
  const train = new Set(pairs.map(({ prompt }) => prompt))
  t.is(train.size + world.prompts(60, random, { heldOut: true }).length, 60)
  for (const { prompt, answers, scores } of pairs) {
    const [, a, b, c] = prompt.split(' ')
    t.deepEqual(
      [answers, scores],
      [
        [`${a} , ${b}`, c],
        [1, 0],
      ],
    )
    t.deepEqual(world.answers!(prompt, 1, random), [`${a} , ${b}`])
    t.deepEqual(world.answers!(prompt, 3, random), [`${a} , ${b}`, c], 'what was rejected comes last')
    t.false(world.isHeldOut(prompt))
  }
  t.throws(() => world.preferences!(1, random, { answers: 3 }), { code: 'E_CONFIG' })
  t.is(world.demonstrationCount!(), train.size)
  const none = { ift: 0, eft: 0, prompts: 0 }
  const parts = [0, 10, 20].flatMap((from) =>
    world.demonstrations({ ...none, ift: 10 }, random, { ...none, ift: from }),
  )
  t.is(new Set(parts.map(({ prompt }) => prompt)).size, 30, 'a part goes on where the one before ended')
  for (const { prompt, completion, tokens } of parts) {
    const [, , a, b] = prompt.split(' ')
    t.is(completion, `${a} , ${b} </s>`)
    t.deepEqual(tokens, world.tokenizer!.encode(completion))
  }
  t.throws(() => world.demonstrations({ ift: 1, eft: 1, prompts: 0 }, random), {
    code: 'E_CONFIG',
    message: /no demonstrations of judging/,
  })
})

test('several pairs of one prompt all count; demonstrations come from their own file where there is one', async (t) => {
  const pair = { prompt: 'name oak', chosen: 'oak', rejected: 'fig' }
  const pairs = jsonLines('pairs.jsonl', [pair, { ...pair, rejected: 'elm' }])
  const demonstrations = jsonLines('demonstrations.jsonl', [
    {
      messages: [
        { role: 'user', content: 'name elm' },
        { role: 'assistant', content: 'elm' },
      ],
    },
  ])
  const world = await opened({ pairs, demonstrations, heldOut: 0 })
  t.deepEqual(
    world.preferences!(2, random, { answers: 2 })
      .map(({ answers }) => answers[1])
      .sort(),
    ['elm', 'fig'],
  )
  t.deepEqual(world.prompts(2, random, { heldOut: false }).sort(), ['name elm', 'name oak'])
  t.is(world.demonstrationCount!(), 1)
  t.throws(() => world.prompts(1, random, { heldOut: true }), {
    code: 'E_DATA',
    message: /no prompts that are held out/,
  })
})

test('the policy may judge and invent', async (t) => {
  const world = await opened({ prompts: ownPrompts() })
  t.true(world.judgeContext('name oak', 'fig').includes('<question>name oak</question>\n<response>fig</response>'))
  const meta = world.metaContext!('name oak', 'fig', 'a: 3', 'b: 4')
  t.true(meta.includes('<response>fig</response>\n<judgment 1>a: 3</judgment 1>\n<judgment 2>b: 4</judgment 2>'))
  for (const [text, score] of [
    ['good. Score: 4', 4],
    ['Score: 1, no: **Score: 5**', 5],
    ['score:0', 0],
  ] as const)
    t.deepEqual(world.readVerdict(text), { readable: true, score }, text)
  for (const text of ['', 'good', 'Score: 6', 'Score: 3.5', 'Score: five'])
    t.false(world.readVerdict(text).readable, text)
  for (const [text, preferred] of [
    ['Winner: 1', 'first'],
    ['The winner: 1? No.\n\n**Winner: 2**', 'second'],
    ['winner: **Judgment 2**', 'second'],
    ['Winner: both', undefined],
    ['Winner: 12', undefined],
    ['2', undefined],
  ] as const)
    t.is(world.readPreference!(text), preferred, text)
  t.true(world.promptContext(['name oak', 'name fig']).includes('Task 2: name fig'))
  t.deepEqual(world.readPrompt(' Task 3: name elm \n\nTask 4: name oak'), { prompt: 'name elm' })
  t.deepEqual(world.readPrompt('\n'), { malformed: 'empty' })
})

test('rows that do not fit are refused, or left out where that is wanted', async (t) => {
  const rows = [{ prompt: 'name oak' }, { prompt: 'name '.repeat(60) }, { prompt: 'name fig' }]
  const prompts = jsonLines('long.jsonl', rows)
  await t.throwsAsync(opened({ prompts }), { code: 'E_DATA', message: /needs 68 tokens.*and 64 fit/ })
  const world = await opened({ prompts, tooLong: 'drop', heldOut: 0 })
  t.deepEqual(world.prompts(2, random, { heldOut: false }).sort(), ['name fig', 'name oak'])
  const only = jsonLines('only.jsonl', rows.slice(1, 2))
  await t.throwsAsync(opened({ prompts: only, tooLong: 'drop' }), {
    code: 'E_DATA',
    message: /none of its 1 rows fits/,
  })
  await t.throwsAsync(opened({ prompts, tooLong: 'drop', maxRows: 2 }), { code: 'E_DATA', message: /more than 2 rows/ })
})

test('what cannot be used is refused by name', async (t) => {
  const model = await ownModel()
  await t.throwsAsync(createWorld({ model, heldOut: 2 }), { code: 'E_CONFIG', message: /heldOut/ })
  await t.throwsAsync(createWorld({}), { code: 'E_CONFIG', message: /model/ })
  await t.throwsAsync(createWorld({ model: join(model, 'absent') }), { code: 'E_CHECKPOINT' })
  rmSync(join(model, 'tokenizer.json'))
  await t.throwsAsync(createWorld({ model }), { code: 'E_CHECKPOINT', message: /no tokenizer/ })
  const turns = [
    { role: 'system', content: 'oak' },
    { role: 'user', content: 'name' },
  ]
  const prompts = jsonLines('turns.jsonl', [{ prompt: turns }])
  const plain = { model: await ownModel({ isChat: false }), prompts }
  await t.throwsAsync(opened(plain), { code: 'E_DATA', message: /no chat template in use/ })
})
