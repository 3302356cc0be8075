import test from 'ava'
import type { z } from 'zod'
import { preferenceSource, promptSource } from '../../actors/index.js'
import type { JudgedBatch, PromptBatch } from '../../actors/messages.js'
import { TINY_WORLD } from './fixtures/alone.js'
import { checkCuts, perform, storeWith } from './fixtures/cuts.js'
import { host } from './fixtures/host.js'
import { assess, createWorld, pointsOf } from './fixtures/tiny-world.js'

const world = createWorld()
const pulls = (count: number) => Array.from({ length: count }, () => ({ pull: 1 }))
const shape = { world: TINY_WORLD, iterations: [7, 5], promptsPerUpdate: 4, batch: 3 }
const texts = (batches: readonly PromptBatch[]) => batches.flatMap(({ prompts }) => prompts.map(({ text }) => text))
const inIteration = <T extends { iteration: number }>(batches: readonly T[], iteration: number) =>
  batches.filter((batch) => batch.iteration === iteration)

async function prompts(config: Partial<z.input<typeof promptSource.config>>) {
  const actor = await host(promptSource, { config: { ...shape, staleness: 1, ...config }, weights: storeWith() })
  await perform(actor, [{ pull: 100 }])
  return actor.out.prompts as PromptBatch[]
}

async function preferences(config: Partial<z.input<typeof preferenceSource.config>>) {
  const actor = await host(preferenceSource, { config: { ...shape, ...config }, weights: storeWith() })
  await perform(actor, [{ pull: 100 }])
  return actor.out.judged as JudgedBatch[]
}

test('prompts come in numbered batches, each once, with the version that staleness asks for', async (t) => {
  const batches = await prompts({})
  t.deepEqual(
    batches.map(({ id, iteration, update, minVersion, lastOfUpdate, lastOfIteration, prompts }) =>
      [id, iteration, update, minVersion, lastOfUpdate, lastOfIteration, prompts.length].join(' '),
    ),
    [
      '0 0 0 0 false false 3',
      '1 0 0 0 true false 1',
      '2 0 1 0 true true 3',
      '3 1 2 1 false false 3',
      '4 1 2 1 true false 1',
      '5 1 3 2 true true 1',
    ],
  )
  t.is(new Set(texts(batches)).size, 12)
  t.false(texts(batches).some(world.isHeldOut))
  t.true(batches.every(({ generatorVersion, prompts }) => generatorVersion === -1 && !('answers' in prompts[0]!)))
})

test('repeated prompts are those of the first iteration in another order, under ids of their own', async (t) => {
  const batches = await prompts({ iterations: [7, 7, 5], repeat: true, answers: 2 })
  const [first, second, third] = [0, 1, 2].map((iteration) => texts(inIteration(batches, iteration)))
  t.deepEqual(second!.toSorted(), first!.toSorted())
  t.notDeepEqual(second, first)
  t.true(third!.length === 5 && third!.every((text) => first!.includes(text)))
  const all = batches.flatMap(({ prompts }) => prompts)
  t.is(new Set(all.map(({ id }) => id)).size, 19)
  const answers = new Map(all.map(({ text, answers }) => [text, answers]))
  for (const prompt of all) {
    t.is(prompt.answers?.length, 2)
    t.deepEqual(prompt.answers, answers.get(prompt.text), 'data stay as they are')
  }
})

test('people’s preferences come as judged groups that nobody of the run wrote or judged', async (t) => {
  const batches = await preferences({ answers: 3 })
  t.deepEqual(
    batches.map(({ id, update, minVersion, lastOfIteration, groups }) =>
      [id, update, minVersion, lastOfIteration, groups.length].join(' '),
    ),
    ['0 0 0 false 3', '1 0 0 false 1', '2 1 0 true 3', '3 2 2 false 3', '4 2 2 false 1', '5 3 2 true 1'],
  )
  for (const group of batches.flatMap(({ groups }) => groups)) {
    t.deepEqual(
      [group.version, group.judgeVersion],
      [
        { start: -1, end: -1 },
        { start: -1, end: -1 },
      ],
    )
    t.deepEqual(
      group.judgments,
      group.completions.map(({ text }) => {
        const score = pointsOf(assess(group.prompt, text))
        return { score, verdicts: [score], unreadable: 0 }
      }),
    )
    for (const { text, tokens, logprobs, writer, finish } of group.completions) {
      t.deepEqual([writer, finish], ['people', 'stop'])
      t.is(Array.from(tokens, (token) => world.words[token]).join(' '), `${text} </s>`)
      t.deepEqual(logprobs, new Float32Array(tokens.length))
    }
  }
})

test('epochs over preferences: the same groups again, under ids of their own', async (t) => {
  const batches = await preferences({ iterations: [6, 6], repeat: true })
  const read = (iteration: number) =>
    inIteration(batches, iteration).flatMap(({ groups }) =>
      groups.map(({ prompt, completions }) => [prompt, ...completions.map(({ text }) => text)].join('\n')),
    )
  t.deepEqual(read(1).toSorted(), read(0).toSorted())
  t.is(new Set(batches.flatMap(({ groups }) => groups.map(({ promptId }) => promptId))).size, 12)
})

test('both go on with what comes next, to the bit', async (t) => {
  const repeated = { ...shape, iterations: [7, 6], repeat: true }
  const prompting = { ...repeated, staleness: 0, answers: 1 }
  t.is((await checkCuts(t, promptSource, { config: prompting, steps: pulls(4) })).out.prompts!.length, 6)
  const { out, completed } = await checkCuts(t, preferenceSource, { config: repeated, steps: pulls(4) })
  t.is(out.judged!.length, 6)
  t.deepEqual([...completed], ['judged'])
})

test('what cannot be had is refused: more prompts than the first iteration has, a state of another role', async (t) => {
  const more = { ...shape, staleness: 0, iterations: [4, 5], repeat: true }
  await t.throwsAsync(host(promptSource, { config: more, weights: storeWith() }), {
    code: 'E_CONFIG',
    message: /no iteration can repeat more prompts than the first one has, which is 4/,
  })
  const state = { plan: {}, taken: -1 }
  await t.throwsAsync(host(preferenceSource, { config: shape, weights: storeWith(), state }), {
    code: 'E_JOURNAL',
    message: /of the preference-source .*plan/,
  })
})
