import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { learner } from '../../actors/index.js'
import type { JudgedBatch, JudgedGroup } from '../../actors/messages.js'
import { initParams, loadCheckpoint } from '../../models/index.js'
import { type RunEvent, seededRandom } from '../../runtime/index.js'
import { scratch } from '../cli/fixtures/scratch.js'
import { alone, learnerConfigOf, metricsNamed, TINY_MODEL } from './fixtures/alone.js'
import { createWorld } from './fixtures/tiny-world.js'

const { words } = createWorld()
const ids = (text: string) => Int32Array.from(text.split(' '), (word) => words.indexOf(word))

/** A group of `copy ant bee` whose candidates have these scores; undefined is unreadable. */
function group(promptId: string, version: number, scores: readonly (number | undefined)[]): JudgedGroup {
  const span = { start: version, end: version }
  const texts = ['ant bee </s>', 'cat </s>', 'dog eel fox </s>']
  return {
    promptId,
    prompt: 'copy ant bee',
    completions: scores.map((_, i) => {
      const tokens = ids(texts[i]!)
      return { text: texts[i]!, tokens, logprobs: new Float32Array(tokens.length), finish: 'stop' as const }
    }),
    version: span,
    judgments: scores.map((score) =>
      score === undefined ? { verdicts: [], unreadable: 3 } : { score, verdicts: [score], unreadable: 2 },
    ),
    judgeVersion: span,
  }
}

/** Update `u` is batch `u`; with `version` the one that wrote and judged it. */
function batch(update: number, groups: readonly (readonly (number | undefined)[])[], more: Partial<JudgedBatch> = {}) {
  const { iteration = update, minVersion = update } = more
  return {
    ...{ id: update, update, iteration, minVersion, lastOfUpdate: true, lastOfIteration: true, generatorVersion: 0 },
    writtenAt: 0,
    groups: groups.map((scores, i) => group(`${update}.${i}`, minVersion, scores)),
    ...more,
  } satisfies JudgedBatch
}

const learn = (judged: JudgedBatch[], more: Parameters<typeof learnerConfigOf>[0] = {}) =>
  alone(learner, 'snapshots', 'accounts', { config: learnerConfigOf(more), inputs: { demonstrations: [], judged } })

const fates = (events: readonly RunEvent[]) =>
  events.flatMap((event) => {
    if (event.type !== 'record') return []
    const { id, chosen, rejected, dropped } = event.value as Record<string, unknown>
    return [`${id}: ${dropped ?? `${chosen} over ${rejected}`}`]
  })

test('best against worst; ties and groups with fewer than two readable verdicts are dropped by name', async (t) => {
  const groups = [
    [5, 1, 3],
    [2, undefined, 4],
    [3, 3, 3],
    [undefined, 4, undefined],
    [undefined, undefined],
  ]
  const { answer, out, events } = await learn([batch(0, groups)], {
    promptsPerUpdate: 5,
    iterations: [5],
  })
  t.deepEqual(fates(events), ['0.0: 0 over 1', '0.1: 2 over 0', '0.2: tie', '0.3: unreadable', '0.4: unreadable'])
  t.deepEqual(answer.samples, { issued: 5, consumed: 2, dropped: { tie: 1, unreadable: 2 }, inFlight: 0 })
  t.deepEqual(
    out.map(({ name, version, pairs, droppedTies }) => [name, version, pairs, droppedTies]),
    [
      ['M1', 0, 0, 0],
      ['M2', 1, 2, 1],
    ],
  )
  t.deepEqual(metricsNamed(events, 'learner/pairs'), [2])
})

test('an update without any pair leaves the weights, and still counts a version', async (t) => {
  const { answer, out, events } = await learn([
    batch(0, [[2, 2]]),
    batch(1, [
      [1, 4],
      [4, 1],
    ]),
  ])
  const [m1, m2, m3] = out.map(({ params }) => params)
  t.deepEqual(m1, initParams(TINY_MODEL, seededRandom(1, 'learner').stream('init')))
  t.deepEqual(m2, m1)
  t.notDeepEqual(m3, m2)
  t.is(answer.version, 2)
  t.is(answer.published, 2)
  t.is(metricsNamed(events, 'learner/loss').length, 1)
})

test('the reference is the model of the iteration: its first update begins at the loss of no preference', async (t) => {
  const scores = [
    [5, 0],
    [4, 1],
  ]
  const { events } = await learn(
    [
      batch(0, scores, { iteration: 0, lastOfIteration: false }),
      batch(1, scores, { iteration: 0 }),
      batch(2, scores, { iteration: 1, lastOfIteration: false }),
      batch(3, scores, { iteration: 1 }),
    ],
    { iterations: [4, 4], promptsPerUpdate: 2 },
  )
  const [first, second, third, fourth] = metricsNamed(events, 'learner/loss') as [number, number, number, number]
  t.true(Math.abs(first - Math.LN2) < 1e-4, `${first}`)
  t.true(Math.abs(third - Math.LN2) < 1e-4, `${third}`)
  t.true(second < first - 1e-3 && fourth < third - 1e-3, 'the same pairs are preferred more after a step')
  t.true(metricsNamed(events, 'rewards/margins')[1]! > 0)
  t.is(metricsNamed(events, 'rewards/accuracies')[1], 1)
})

test('batches of an update may come in any order; the result does not depend on it', async (t) => {
  const parts = [
    batch(0, [[5, 0]], { lastOfUpdate: false, lastOfIteration: false }),
    { ...batch(0, [[1, 3]]), id: 1, groups: [group('1.0', 0, [1, 3])] },
  ]
  const [inOrder, reversed] = [await learn(parts), await learn(parts.toReversed())]
  t.deepEqual(inOrder.out[1]!.params, reversed.out[1]!.params)
  t.deepEqual(fates(reversed.events), ['0.0: 0 over 1', '1.0: 1 over 0'])
})

test('a sample that is older than the bound is a broken law, not a sample', async (t) => {
  const judged = [batch(0, [[5, 0]]), batch(1, [[5, 0]], { minVersion: 0 })]
  const error = await t.throwsAsync(learn(judged), { code: 'E_ACTOR_FAILED' })
  t.like(error!.cause, { code: 'E_INVARIANT' })
  t.regex(error!.message, /lag 1 passed the bound 0/)
  await t.notThrowsAsync(learn(judged, { staleness: 1 }))
})

test('each finished model is written as a checkpoint that holds the same weights', async (t) => {
  const checkpoints = scratch()
  const { out } = await learn([batch(0, [[5, 0]]), batch(1, [[0, 5]])], { checkpoints })
  for (const { name, params } of out) t.deepEqual((await loadCheckpoint(join(checkpoints, name))).params, params)
  t.deepEqual(readdirSync(checkpoints).sort(), ['M1', 'M2', 'M3'])
})
