import test from 'ava'
import { judge } from '../../actors/index.js'
import type { CandidateBatch, CandidateGroup, JudgedBatch } from '../../actors/messages.js'
import { alone, COMMON, trained, untrained } from './fixtures/alone.js'
import { storeWith } from './fixtures/cuts.js'
import { host } from './fixtures/host.js'
import { createWorld } from './fixtures/tiny-world.js'

const model = trained()

/** Three answers to each prompt: a right one, the same again, and a wrong one. */
function candidates(prompts: readonly string[]): CandidateBatch {
  const groups = prompts.map((prompt, i): CandidateGroup => {
    const right = prompt.split(' ').slice(1).join(' ')
    const completions = [right, right, 'koi koi koi koi'].map((text) => ({
      text,
      tokens: new Int32Array(1),
      logprobs: new Float32Array(1),
      finish: 'stop' as const,
    }))
    return { promptId: `0.${i}`, prompt, completions, version: { start: 2, end: 3 } }
  })
  const flags = { lastOfUpdate: true, lastOfIteration: true }
  return { id: 0, iteration: 0, update: 3, minVersion: 2, generatorVersion: 0, writtenAt: 0, ...flags, groups }
}
const PROMPTS = ['ant bee', 'cat dog eel', 'fox gnu', 'hen jay', 'bee bee cat', 'dog ant'].map((text) => `copy ${text}`)

const judged = async (params: Float32Array, sampling: { temperature: number; topP?: number }, keepTexts = false) => {
  const { out, answer } = await alone(judge, 'judged', 'counts', {
    config: { ...COMMON, judgments: 4, sampling, keepTexts },
    inputs: { candidates: [candidates(PROMPTS)] },
    weights: { version: 3, params },
  })
  return { batch: out[0]!, judgments: out[0]!.groups.flatMap((group) => group.judgments), counts: answer }
}

test('verdicts that cannot be read are dropped and counted; a score is the mean of the others, and never 0 for none', async (t) => {
  const { judgments, counts } = await judged(await model, { temperature: 2, topP: 1 })
  t.is(judgments.length, 3 * PROMPTS.length)
  for (const { score, verdicts, unreadable } of judgments) {
    t.is(verdicts.length + unreadable, 4)
    t.is(score, verdicts.length === 0 ? undefined : verdicts.reduce((a, b) => a + b, 0) / verdicts.length)
    t.true(verdicts.every((verdict) => [0, 1, 2, 3, 4, 5].includes(verdict)))
  }
  const unreadable = judgments.reduce((sum, judgment) => sum + judgment.unreadable, 0)
  t.true(unreadable > 5 && unreadable < 4 * judgments.length - 5, `${unreadable}: some of both, or nothing is shown`)
  t.like(counts, { judged: judgments.length, unreadable, verdicts: 4 * judgments.length - unreadable })
})

test('a judge that cannot write verdicts gives none', async (t) => {
  const { judgments, counts } = await judged(untrained(), { temperature: 1 })
  t.true(
    judgments.every(({ score, verdicts, unreadable }) => score === undefined && !verdicts.length && unreadable === 4),
  )
  t.is(counts.unreadable, 4 * judgments.length)
})

test('equal answers to a prompt share their verdicts', async (t) => {
  const { batch } = await judged(await model, { temperature: 1 })
  for (const { judgments } of batch.groups) t.deepEqual(judgments[0], judgments[1])
  t.true(batch.groups.some(({ judgments }) => judgments[0]!.score !== judgments[2]!.score))
})

test('what is judged keeps its place and its versions, and says who judged', async (t) => {
  const { batch } = await judged(await model, { temperature: 1 })
  t.like(batch, { id: 0, update: 3, minVersion: 2, lastOfUpdate: true })
  t.deepEqual(
    batch.groups.map(({ prompt }) => prompt),
    PROMPTS,
  )
  for (const { version, judgeVersion } of batch.groups) {
    t.deepEqual(version, { start: 2, end: 3 })
    t.deepEqual(judgeVersion, { start: 3, end: 3 })
  }
})

test('a batch waits for the version that wrote it: a judge is never older than the writer', async (t) => {
  const weights = storeWith({ version: 3, params: await model })
  const judging = await host(judge, { config: { ...COMMON, judgments: 1 }, weights })
  const batch = candidates(PROMPTS.slice(0, 1))
  judging.send('candidates', {
    ...batch,
    groups: batch.groups.map((group) => ({ ...group, version: { start: 3, end: 4 } })),
  })
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve))
  t.deepEqual(judging.out.judged, [])
  weights.publish(4, await model)
  await judging.settled()
  t.deepEqual(
    (judging.out.judged as JudgedBatch[]).map(({ groups }) => groups[0]!.judgeVersion),
    [{ start: 4, end: 4 }],
  )
})

test('what was written is handed on only where it is asked for, and is what the scores come from', async (t) => {
  const kept = await judged(await model, { temperature: 1.5 }, true)
  const bare = await judged(await model, { temperature: 1.5 })
  t.false('texts' in bare.judgments[0]!)
  t.deepEqual(
    kept.judgments.map(({ texts: _, ...judgment }) => judgment),
    bare.judgments,
  )
  const world = createWorld()
  for (const { texts, verdicts } of kept.judgments) {
    t.is(texts!.length, 4)
    t.deepEqual(
      texts!.flatMap(({ score }) => (score === undefined ? [] : [score])),
      verdicts,
    )
    for (const { text, tokens, logprobs, score } of texts!) {
      const verdict = world.readVerdict(text)
      t.is(score, verdict.readable ? verdict.score : undefined)
      const words = Array.from(tokens, (id) => world.words[id]!)
      t.is(text, words.filter((word) => !/^<(s|\/s|pad|unk)>$/.test(word)).join(' '))
      t.true(logprobs.length === tokens.length && logprobs.every((value) => value <= 0))
    }
  }
})
