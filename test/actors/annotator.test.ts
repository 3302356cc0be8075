import test, { type ExecutionContext } from 'ava'
import { annotator } from '../../actors/index.js'
import type { CandidateBatch, CandidateGroup, JudgedBatch } from '../../actors/messages.js'
import { METRICS } from '../../actors/metric-table.js'
import type { TroupeError } from '../../runtime/index.js'
import { alone, metricsNamed } from './fixtures/alone.js'
import { says, serveApi } from './fixtures/api-server.js'
import { candidateBatch } from './fixtures/batches.js'
import { checkCuts, storeWith } from './fixtures/cuts.js'
import { host } from './fixtures/host.js'
import { JUNK } from './fixtures/tiny-world.js'

const TINY_ANNOTATOR = { module: new URL('fixtures/tiny-annotator.js', import.meta.url).href }

/** To each prompt: a right answer (5 points), one whose words are there in another order (3 or fewer), junk, the right one again. */
function candidates(prompts: readonly string[]): CandidateBatch {
  const groups = prompts.map((prompt, i): CandidateGroup => {
    const right = prompt.split(' ').slice(1)
    const completions = [right, right.toReversed(), [JUNK], right].map((words) => ({
      text: words.join(' '),
      tokens: new Int32Array(1),
      logprobs: new Float32Array(1),
      finish: 'stop' as const,
    }))
    return { promptId: `0.${i}`, prompt, completions, version: { start: 2, end: 3 } }
  })
  const flags = { lastOfUpdate: true, lastOfIteration: true }
  return { id: 0, iteration: 0, update: 3, minVersion: 2, generatorVersion: 0, writtenAt: 0, ...flags, groups }
}
const BATCH = candidates(['copy ant bee', 'copy cat dog eel'])

const rated = async (label: object, options: object = {}) => {
  const { out, answer, events } = await alone(annotator, 'judged', 'counts', {
    config: { annotator: { ...TINY_ANNOTATOR, options: { ...options } }, label },
    inputs: { candidates: [BATCH] },
  })
  return { batch: out[0]!, counts: answer, events }
}

test('points: each answer’s own, equal ones the same, junk none; metrics say so', async (t) => {
  const { batch, counts, events } = await rated({})
  for (const { judgments, comparisons, judgeVersion, version } of batch.groups) {
    t.deepEqual(
      judgments.map(({ score }) => score),
      [5, 2, undefined, 5],
    )
    t.is(judgments[2]!.unreadable, 1)
    t.is(comparisons, undefined)
    t.deepEqual(
      [judgeVersion, version],
      [
        { start: -1, end: -1 },
        { start: 2, end: 3 },
      ],
    )
  }
  t.deepEqual(counts, { judged: 8, scored: 6, unreadable: 2, compared: 0, ties: 0, invalid: 0 })
  t.deepEqual(metricsNamed(events, 'annotator/score'), [4])
  t.deepEqual(metricsNamed(events, 'annotator/unreadable'), [2])
  t.deepEqual(metricsNamed(events, 'annotator/ties'), [])
})

test('pairs: 6 of 4 answers; the equal two tie, those with junk are invalid; a liking for the first place is gone in both orders', async (t) => {
  const { batch, counts, events } = await rated({ by: 'pairs' }, { positionBias: 0.2 })
  for (const { judgments, comparisons } of batch.groups) {
    const opinions = comparisons!.map(({ first, second, opinion }) => [first, second, opinion])
    const near = opinions.map(([a, b, p]) => [a, b, typeof p === 'number' ? Math.round(1e9 * p) / 1e9 : p])
    t.deepEqual(near, [
      [0, 1, 0.65],
      [0, 2, 'invalid'],
      [0, 3, 'tie'],
      [1, 2, 'invalid'],
      [3, 1, 0.65],
      [3, 2, 'invalid'],
    ])
    t.true(judgments.every(({ score, verdicts, unreadable }) => score === undefined && !verdicts.length && !unreadable))
  }
  t.deepEqual(counts, { judged: 8, scored: 0, unreadable: 0, compared: 12, ties: 2, invalid: 6 })
  t.deepEqual(metricsNamed(events, 'annotator/ties'), [1 / 6])
  t.deepEqual(metricsNamed(events, 'annotator/invalid'), [6])
  // .65 + .2 and, swapped, .35 + .2: the first place wins both
  t.deepEqual(metricsNamed(events, 'annotator/position_consistency'), [0])
  const fair = await rated({ by: 'pairs' })
  t.deepEqual(metricsNamed(fair.events, 'annotator/position_consistency'), [1])
  const once = await rated({ by: 'pairs', orders: 'one' }, { positionBias: 0.2 })
  t.deepEqual(metricsNamed(once.events, 'annotator/position_consistency'), [])
})

test('the table’s metrics of an annotator are those that it reports', async (t) => {
  const runs = await Promise.all([rated({}), rated({ by: 'pairs' })])
  const seen = runs.flatMap(({ events }) => events.flatMap((event) => (event.type === 'metric' ? [event.name] : [])))
  const rows = METRICS.filter(({ role }) => role === 'annotator')
  t.deepEqual([...new Set(seen)].sort(), rows.map(({ name }) => name).sort())
  t.true(rows.every(({ optional }) => optional))
})

test('rejection has scores and comparisons', async (t) => {
  const { batch } = await rated({ by: 'rejection', accept: 2, beta: 0, orders: 'one' })
  for (const { judgments, comparisons } of batch.groups) {
    t.is(judgments[0]!.score, 5)
    t.deepEqual(
      comparisons!.map(({ first, second }) => [first, second].sort()),
      [[0, 1]],
    )
  }
})

test('what came out before a cut and after it is what comes out without one', async (t) => {
  const steps = [0, 1, 2].map((id) => ({ send: 'candidates', message: candidateBatch(id) }))
  await checkCuts(t, annotator, {
    config: { annotator: TINY_ANNOTATOR, label: { by: 'pairs' } },
    steps: [...steps, { end: 'candidates' }],
  })
})

test('a batch that is given up goes on empty, its prompts among the abandoned', async (t) => {
  const { actor } = await host(annotator, { config: { annotator: TINY_ANNOTATOR }, weights: storeWith() })
  const { judged } = actor.setAside!('candidates', BATCH) as { judged: JudgedBatch }
  t.like(judged, { id: 0, update: 3, groups: [], abandoned: ['0.0', '0.1'] })
})

test('either an annotator or a remote one: both or neither is refused by name', (t) => {
  const remote = { baseURL: 'http://localhost/v1', model: 'm' }
  for (const given of [{}, { annotator: TINY_ANNOTATOR, remote }]) {
    const { error } = annotator.config.safeParse(given)
    t.deepEqual(
      error?.issues.map(({ path, message }) => [path.join(), message]),
      [['annotator', 'give either an annotator or a remote one']],
    )
  }
  t.true(annotator.config.safeParse({ remote }).success)
})

/** Two calls for each of two pairs of neighbours. */
const ASKED = 4
const remoteConfig = (baseURL: string, more: object = {}) => ({
  remote: { baseURL, model: 'm', requestsPerMinute: 1e9, ...more },
  label: { by: 'pairs' as const, which: 'neighbours' as const },
})
const ONE = { ...BATCH, groups: BATCH.groups.slice(0, 1) }
const prefersAntBee = (t: ExecutionContext) =>
  serveApi(t, ({ body }) => says(/Answer 1:\nant bee\n/.test(body.messages[1]!.content) ? '1' : '2'))

for (const stage of ['inline', 'threads', 'virtual'] as const)
  test(`${stage}: a remote annotator judges a batch`, async (t) => {
    process.env.TROUPE_TEST_ANNOTATOR = 'sk-secret'
    const api = await prefersAntBee(t)
    const config = remoteConfig(api.baseURL, { apiKeyEnv: 'TROUPE_TEST_ANNOTATOR' })
    const { out, events } = await alone(annotator, 'judged', 'counts', { config, inputs: { candidates: [ONE] }, stage })
    t.deepEqual(out[0]!.groups[0]!.comparisons, [
      { first: 0, second: 1, opinion: 1 },
      { first: 3, second: 2, opinion: 1 },
    ])
    t.deepEqual(
      api.received.map(({ authorization }) => authorization),
      Array(ASKED).fill('Bearer sk-secret'),
    )
    t.false(JSON.stringify([out, events]).includes('sk-secret'))
  })

test('where the budget ends the run ends: nothing is half judged, and the annotator does not begin anew', async (t) => {
  const api = await prefersAntBee(t)
  const error = await t.throwsAsync<TroupeError & { cause: TroupeError }>(
    alone(annotator, 'judged', 'counts', {
      config: remoteConfig(api.baseURL, { budget: ASKED + 2 }),
      inputs: { candidates: [ONE, ONE] },
      supervise: { maxRestarts: 5, backoff: { firstMs: 0 } },
    }),
  )
  t.deepEqual([error.code, error.cause.code], ['E_ACTOR_FAILED', 'E_BUDGET'])
  t.is(api.received.length, ASKED)
})
