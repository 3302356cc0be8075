import test from 'ava'
import { promptGenerator } from '../../actors/index.js'
import { greatestRougeL } from '../../alignment/index.js'
import { seededRandom } from '../../runtime/index.js'
import { alone, COMMON, trained, untrained } from './fixtures/alone.js'
import { createWorld } from './fixtures/tiny-world.js'

const world = createWorld()
const seeds = world.prompts(40, seededRandom(1, 'seeds'), { heldOut: false })
const model = trained()

const invent = async (more: object, params?: Float32Array) =>
  alone(promptGenerator, 'prompts', 'counts', {
    config: { ...COMMON, iterations: [24, 9], promptsPerUpdate: 8, batch: 3, staleness: 1, shots: 2, ...more },
    inputs: { seeds: [{ prompts: seeds }] },
    weights: { version: 0, params: params ?? (await model) },
  })

test('a prompt is kept when it is well-formed, not held out and unlike all before it', async (t) => {
  const { out, answer: counts } = await invent({ maxRougeL: 0.75 })
  const prompts = out.flatMap((batch) => batch.prompts.map(({ text }) => text))
  t.is(prompts.length, 33)
  prompts.forEach((prompt, i) => {
    t.deepEqual(world.readPrompt(prompt), { prompt })
    t.false(world.isHeldOut(prompt))
    t.true(greatestRougeL(prompt, [...seeds, ...prompts.slice(0, i)]) < 0.75, prompt)
  })
  // Each filter had something to do: without it, this test could not have seen that it works.
  t.deepEqual(Object.keys(counts.dropped).sort(), ['held out', 'malformed', 'not new'])
  t.is(counts.attempts, counts.kept + Object.values(counts.dropped).reduce((a, b) => a + b, 0))
  t.true(counts.kept >= 33)
})

test('a prompt says by which version it was made, and which may answer it', async (t) => {
  const { out } = await invent({ maxRougeL: 0.95 })
  t.true(out.every(({ generatorVersion }) => generatorVersion === 0))
  // 24 and 9 prompts, 8 an update: updates 0, 1, 2 and 3, 4 (of one prompt).
  const firsts = out.filter(({ id }, i) => out.findIndex(({ update }) => update === out[i]!.update) === id)
  t.deepEqual(
    firsts.map(({ update, iteration, minVersion }) => [update, iteration, minVersion]),
    [
      [0, 0, 0],
      [1, 0, 0],
      [2, 0, 1],
      [3, 1, 2],
      [4, 1, 3],
    ],
  )
  const { out: whole } = await invent({ maxRougeL: 0.95, staleness: 'iteration' })
  t.deepEqual([...new Set(whole.map(({ iteration, minVersion }) => `${iteration}: ${minVersion}`))], ['0: 0', '1: 3'])
  t.deepEqual(
    whole.map(({ prompts }) => prompts),
    out.map(({ prompts }) => prompts),
    'the bound does not change what is invented',
  )
})

test('a model that finds too few prompts ends the run after its attempts, and says so', async (t) => {
  const { out, answer: counts, events } = await invent({ attempts: 10 }, untrained())
  t.true(out.length <= 1)
  t.true(counts.attempts >= 330 && counts.attempts < 330 + COMMON.engine.batch)
  t.true((counts.dropped.malformed ?? 0) > 300)
  const warnings = events.flatMap((event) => (event.type === 'log' && event.level === 'warn' ? [event.message] : []))
  t.is(warnings.length, 1)
  t.true(warnings[0]!.startsWith(`only ${counts.kept} of 33 prompts in ${counts.attempts} attempts`), warnings[0])
})
