import test from 'ava'
import type { z } from 'zod'
import { learnerConfig } from '../../actors/learner-config.js'
import { createMixPool } from '../../actors/mix-pool.js'
import { createPhases } from '../../actors/phases.js'
import { worldTokenizer } from '../../actors/policy.js'
import type { GroupOutcome } from '../../actors/selection.js'
import type { trainingSchema } from '../../actors/training-config.js'
import { seededRandom } from '../../runtime/index.js'
import { learnerConfigOf } from './fixtures/alone.js'
import { groupOf, sequencesOf, sumsOf, weightsOf } from './fixtures/objectives.js'
import { createWorld } from './fixtures/tiny-world.js'

const world = createWorld()
const m1 = weightsOf(1)
const group = groupOf(['ant bee', 'cat'], { scores: [3, 1] })
const pair: GroupOutcome[] = [{ group, selected: { pairs: [{ chosen: 0, rejected: 1 }] } }]
const single: GroupOutcome[] = [{ group, selected: { singles: [0, 1] } }]
const optimizer = { warmupSteps: 0, learningRate: 1e-3 }

/** Phases of a run of four iterations, with M1 in place. */
function open(...training: z.input<typeof trainingSchema>[]) {
  const params = m1.slice()
  const random = seededRandom(2, 'phases')
  const config = learnerConfig.parse(
    learnerConfigOf({
      training: training.map((each) => ({ optimizer, completions: 2, ...each })),
      ...{ iterations: [2, 2, 2, 2], promptsPerUpdate: 2 },
    }),
  )
  const context = { config, params, tokenizer: worldTokenizer(world), world, random }
  const phases = createPhases({ ...context, demonstrations: createMixPool(random) })
  phases.open()
  const now = async () => {
    const { phase, objective } = await phases.snapshot()
    await phases.pull()
    return { phase, step: objective.optimizer.step, reference: objective.reference, params: params.slice() }
  }
  return { phases, now, params }
}

test('reference iteration: each begins at its own model, with a fresh optimizer', async (t) => {
  const { phases, now } = open({})
  let before = m1
  for (const iteration of [0, 1, 2]) {
    await phases.begin(iteration)
    t.like(await now(), { step: 0, reference: before })
    await phases.now().objective.update(pair, iteration)
    const after = await now()
    t.is(after.step, 1)
    t.notDeepEqual(after.params, before)
    before = after.params
  }
  await phases.dispose()
})

test('reference first: M1 throughout, one optimizer, and rewards of what was learned since M1', async (t) => {
  const { phases, now, params } = open({ reference: 'first' })
  for (const iteration of [0, 1, 2]) {
    await phases.begin(iteration)
    t.like(await now(), { step: iteration, reference: m1 })
    const result = await phases.now().objective.update(pair, iteration)
    if (iteration === 0) t.true(Math.abs(result!.loss - Math.LN2) < 1e-6)
    else t.true(result!.metrics['rewards/margins']! > 0.01)
  }
  await phases.begin(3)
  const [w, l] = (await sumsOf(params, sequencesOf(group))) as [number, number]
  const [refW, refL] = (await sumsOf(m1, sequencesOf(group))) as [number, number]
  const last = await phases.now().objective.update(pair, 3)
  t.true(Math.abs(last!.metrics['rewards/margins']! - 0.1 * (w - refW - l + refL)) < 1e-5)
  await phases.dispose()
})

test('a phase serves its iteration, the last one all that follow; weights go on, optimizer and objective are new', async (t) => {
  const { phases, now } = open(
    { objective: 'nll' },
    { objective: 'ppo', reference: 'first' },
    { objective: 'preference' },
  )
  await phases.begin(0)
  t.like(await now(), { phase: 0, reference: m1 })
  await phases.now().objective.update(single, 0)
  const m2 = (await now()).params
  await phases.begin(1)
  t.like(await now(), { phase: 1, step: 0, reference: m1, params: m2 })
  await phases.now().objective.update(single, 1)
  const m3 = (await now()).params
  t.notDeepEqual(m3, m2)
  await phases.begin(2)
  t.like(await now(), { phase: 2, step: 0, reference: m3, params: m3 })
  await phases.now().objective.update(pair, 2)
  const m4 = (await now()).params
  t.notDeepEqual(m4, m3)
  await phases.begin(3)
  t.like(await now(), { phase: 2, step: 0, reference: m4, params: m4 })
  await phases.dispose()
})
