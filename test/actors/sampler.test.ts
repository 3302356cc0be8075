import test from 'ava'
import { sampler } from '../../actors/index.js'
import type { PromptBatch } from '../../actors/messages.js'
import { alone, COMMON, TINY_MODEL, untrained } from './fixtures/alone.js'

const prompts = ['copy ant bee', 'turn cat dog eel', 'copy fox gnu', 'turn hen jay'].map((text, i) => ({
  id: `p${i}`,
  text,
}))

function batch(id: number, of: PromptBatch['prompts'], minVersion = 0): PromptBatch {
  const flags = { lastOfUpdate: true, lastOfIteration: false }
  return { id, iteration: 0, update: id, minVersion, generatorVersion: 0, ...flags, prompts: of }
}

const sample = async (batches: readonly PromptBatch[], more: object = {}) => {
  const { out, answer } = await alone(sampler, 'candidates', 'counts', {
    config: { ...COMMON, candidates: 3, sampling: { temperature: 1, topP: 1 }, ...more },
    inputs: { prompts: batches },
    weights: { version: 5, params: untrained() },
  })
  return { batches: out, groups: out.flatMap(({ groups }) => groups), counts: answer }
}

test('each prompt gets its candidates, with the version that wrote them', async (t) => {
  const { batches, groups, counts } = await sample([batch(0, prompts)])
  t.like(batches[0], { id: 0, update: 0, minVersion: 0, lastOfUpdate: true, lastOfIteration: false })
  t.deepEqual(
    groups.map(({ promptId, prompt }) => ({ id: promptId, text: prompt })),
    prompts,
  )
  for (const { completions, version } of groups) {
    t.deepEqual(version, { start: 5, end: 5 })
    t.is(completions.length, 3)
    for (const { tokens, logprobs, finish } of completions) {
      t.is(logprobs.length, tokens.length)
      t.true(logprobs.every((logprob) => logprob < 0))
      t.is(finish, tokens.at(-1) === TINY_MODEL.eosTokenId ? 'stop' : 'length')
    }
  }
  t.is(counts.issued, 4)
  t.is(
    counts.tokens,
    groups.flatMap(({ completions }) => completions).reduce((sum, { tokens }) => sum + tokens.length, 0),
  )
})

test('what a prompt is answered depends on its name, not on what else is in the batch', async (t) => {
  const together = await sample([batch(0, prompts)])
  const apart = await sample(prompts.toReversed().map((prompt, i) => batch(i, [prompt])))
  const texts = ({ groups }: typeof together) =>
    groups.map(({ promptId, completions }) => `${promptId}: ${completions.map(({ text }) => text).join(' | ')}`).sort()
  t.deepEqual(texts(apart), texts(together))
  t.is(new Set(texts(together).map((line) => line.slice(4))).size, 4, 'different prompts, different answers')
})

test('no prompt is answered before the version that the staleness bound asks for', async (t) => {
  const error = await t.throwsAsync(sample([batch(0, prompts, 5), batch(1, prompts, 6)], { deadlineMs: 1 }))
  t.like(error, { code: 'E_ACTOR_FAILED', where: 'sampler' })
  t.like(error!.cause, { code: 'E_DEADLINE' })
})
