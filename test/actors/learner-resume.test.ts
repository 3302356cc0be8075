import test from 'ava'
import { judge, learner, sampler } from '../../actors/index.js'
import type { LearnerState } from '../../actors/learner-state.js'
import type { JudgedBatch, ModelSnapshot } from '../../actors/messages.js'
import { seededRandom } from '../../runtime/index.js'
import { COMMON, learnerConfigOf } from './fixtures/alone.js'
import { judgedBatch, promptBatch } from './fixtures/batches.js'
import { checkCuts, newest, perform, type Step, snapshotOf, storeWith } from './fixtures/cuts.js'
import { type Hosted, host } from './fixtures/host.js'
import { createWorld } from './fixtures/tiny-world.js'

const world = createWorld()
const demonstrations = [0, 1, 2].map((id) => ({
  id,
  demonstrations: world.demonstrations({ ift: 20, eft: 12, prompts: 8 }, seededRandom(3, 'people', id)),
}))

/** Three updates of two batches each, the first two of one iteration. */
function batchOf(id: number): JudgedBatch {
  const update = Math.floor(id / 2)
  const lastOfUpdate = id % 2 === 1
  return judgedBatch(id, 0, {
    ...{ update, iteration: update < 2 ? 0 : 1, lastOfUpdate },
    lastOfIteration: id === 3 || id === 5,
  })
}

const config = learnerConfigOf({
  sft: { rows: 16, optimizer: { warmupSteps: 3, learningRate: 0.01 } },
  training: [{ mix: { rows: 4 }, optimizer: { warmupSteps: 2, learningRate: 1e-3, schedule: 'cosine' } }],
  demonstrations: 120,
  iterations: [8, 4],
  promptsPerUpdate: 4,
  publishEvery: 2,
  staleness: 'iteration',
})
const supervised: Step[] = [
  ...demonstrations.map((message) => ({ send: 'demonstrations', message })),
  { end: 'demonstrations' },
]
const judged = (ids: readonly number[]): Step[] => ids.map((id) => ({ send: 'judged', message: batchOf(id) }))
const nameAndVersion = (actor: Hosted) =>
  (actor.out.snapshots as ModelSnapshot[]).map(({ name, version }) => [name, version])
const begin = (state?: unknown, weights = storeWith(), given: Parameters<typeof learnerConfigOf>[0] = {}) =>
  host(learner, { config: { ...config, ...given }, weights, state })

/** A learner after these steps, its snapshot and what it had published. */
async function stateAfter(steps: readonly Step[]) {
  const weights = storeWith()
  const before = await begin(undefined, weights)
  await perform(before, steps)
  return { state: (await snapshotOf(before)) as LearnerState, published: newest(weights) }
}

test('a learner put away anywhere goes on to the bit: in supervised training, between the phases, in an iteration', async (t) => {
  t.timeout(110_000)
  const steps = [...supervised, ...judged([1, 0, 4, 2, 3, 5]), { end: 'judged' }]
  const whole = await checkCuts(t, learner, { config, steps })
  t.deepEqual(nameAndVersion(whole), [
    ['M1', 0],
    ['M2', 2],
    ['M3', 3],
  ])
  const [, m2, m3] = whole.out.snapshots as ModelSnapshot[]
  t.notDeepEqual(m2!.params, m3!.params)
})

test('what a snapshot holds in the middle of an iteration', async (t) => {
  const { state } = await stateAfter([...supervised, ...judged([1, 0, 2, 4])])
  t.is(state.version, 1)
  t.is(state.published?.version, 0)
  t.notDeepEqual(state.published?.params, state.params, 'the published weights are those of version 0')
  t.is(state.supervised, undefined)
  t.is(state.objective?.objective.optimizer.step, 1)
  t.deepEqual(state.objective?.objective.reference, state.published?.params)
  t.deepEqual([state.intake.held.map(({ id }) => id), state.intake.waiting.map(({ id }) => id)], [[2], [4]])
  t.is(state.samples.ledger.inFlight.length, 4)
  t.deepEqual(state.samples.ledger.settled, ['0.0-1', '1.0-1'])
})

test('a resumed run finds the weights that were published last, and nothing newer', async (t) => {
  const { state, published } = await stateAfter([...supervised, ...judged([1, 0])])
  t.deepEqual([state.version, published.version], [1, 0])
  const empty = storeWith()
  await begin(state, empty)
  t.deepEqual(newest(empty), published)
})

test('a restarted learner publishes nothing that the store has, or has newer', async (t) => {
  const { state, published } = await stateAfter([...supervised, ...judged([1, 0, 2])])
  const later = storeWith(published)
  const ahead = await begin(undefined, later)
  await perform(ahead, [...supervised, ...judged([1, 0, 2, 3])])
  const newer = newest(later)
  t.is(newer.version, 2)
  const again = await begin(state, later)
  t.deepEqual(newest(later), newer)
  await perform(again, judged([3]))
  t.deepEqual(newest(later), newer, 'it did the update again, and the store had its outcome')
  t.deepEqual(again.out.snapshots, ahead.out.snapshots!.slice(1))
})

test('batches that come again are dropped and counted, before and after a restart', async (t) => {
  const whole = await begin()
  await perform(whole, [...supervised, ...judged([1, 0, 2, 3, 4, 5]), { end: 'judged' }])
  const before = await begin()
  const twice = demonstrations
    .flatMap((message) => [message, message])
    .map((message) => ({ send: 'demonstrations', message }))
  await perform(before, [...twice, { end: 'demonstrations' }, ...judged([1, 1, 0])])
  const after = await begin(await snapshotOf(before))
  await perform(after, [...judged([0, 2, 3, 2, 4, 5]), { end: 'judged' }])
  t.deepEqual([...before.out.snapshots!, ...after.out.snapshots!], whole.out.snapshots)
  t.like(await after.actor.api!.accounts!(), { samples: { issued: 12, inFlight: 0 } })
  const counted = [...before.said, ...after.said].flatMap((event) =>
    'name' in event && event.name === 'learner/duplicates' ? [(event as { value?: number }).value] : [],
  )
  t.deepEqual(counted, [1, 2, 3, 4, 5, 6])
})

test('prompts that were given up are counted as dropped: issued = consumed + dropped + in flight', async (t) => {
  const sampling = await host(sampler, { config: COMMON, weights: storeWith() })
  const judging = await host(judge, { config: COMMON, weights: storeWith() })
  const { candidates } = sampling.actor.setAside!('prompts', promptBatch(0)) as { candidates: JudgedBatch }
  const { judged: given } = judging.actor.setAside!('candidates', candidates) as { judged: JudgedBatch }
  const whole = { ...judgedBatch(1, 0), lastOfIteration: true }
  const learning = await begin(undefined, storeWith(), {
    ...{ iterations: [2, 2], promptsPerUpdate: 2, publishEvery: 1 },
    training: [{}],
  })
  await perform(learning, [{ end: 'demonstrations' }])
  learning.send('judged', { ...given, lastOfUpdate: true, lastOfIteration: true })
  learning.send('judged', { ...whole, iteration: 1 })
  learning.end('judged')
  await learning.settled()
  const { samples } = (await learning.actor.api!.accounts!()) as { samples: { dropped: Record<string, number> } }
  t.like(samples, { issued: 4, inFlight: 0 })
  t.is(samples.dropped.poison, 2)
  t.deepEqual(nameAndVersion(learning), [
    ['M1', 0],
    ['M2', 1],
    ['M3', 2],
  ])
  const [m1, m2, m3] = learning.out.snapshots as ModelSnapshot[]
  t.deepEqual(m1!.params, m2!.params, 'an update without samples leaves the weights')
  t.notDeepEqual(m2!.params, m3!.params)
})

test('a state that does not fit is refused by the key that is wrong', async (t) => {
  const { state } = await stateAfter([...supervised, ...judged([1])])
  const vector = new Float32Array(3)
  const own = state.objective!.objective
  for (const [wrong, message] of [
    [{ params: vector }, /of the learner cannot be used: params: not a float32 vector of 11200/],
    [{ version: -1 }, /version/],
    [
      { objective: { ...state.objective!, objective: { ...own, optimizer: { step: 0, m: vector, v: vector } } } },
      /objective.objective.optimizer.m/,
    ],
    [{ objective: { ...state.objective!, objective: { ...own, further: {} } } }, /objective.objective.further.replay/],
    [{ intake: { ...state.intake, waiting: [{ id: 1 }] } }, /intake.waiting.0: not a judged batch/],
    [{ pool: { ...state.pool, tokens: new Int32Array(1) } }, /pool: not packed sequences/],
    [{ objective: undefined }, /state: it is of both phases of training, or of none/],
    [{ strange: 1 }, /strange/],
    [{ samples: { ...state.samples, ledger: { ...state.samples.ledger, consumed: 5 } } }, /ledger .* does not add up/],
  ] as const)
    await t.throwsAsync(begin({ ...state, ...wrong }), { code: 'E_JOURNAL', message })
  await t.notThrowsAsync(begin(state))
})
