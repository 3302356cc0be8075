import test from 'ava'
import { evaluator, judge, promptGenerator, sampler, source } from '../../actors/index.js'
import type { JudgedBatch, ModelSnapshot } from '../../actors/messages.js'
import { seededRandom } from '../../runtime/index.js'
import { COMMON, TINY_GOLD, TINY_WORLD, trained, untrained } from './fixtures/alone.js'
import { candidateBatch, promptBatch } from './fixtures/batches.js'
import { checkCuts, snapshotOf, storeWith } from './fixtures/cuts.js'
import { host } from './fixtures/host.js'
import { createWorld } from './fixtures/tiny-world.js'

const model = trained()
const seeds = { prompts: createWorld().prompts(40, seededRandom(1, 'seeds'), { heldOut: false }) }
const published = async () => ({ version: 0, params: await model })

test('the source goes on with the batch that comes next, and gives the seeds once', async (t) => {
  const { out } = await checkCuts(t, source, {
    config: { world: TINY_WORLD, demonstrations: { ift: 30, eft: 20, prompts: 11 }, seedPrompts: 5, batch: 16 },
    steps: Array.from({ length: 6 }, () => ({ pull: 1 })),
  })
  t.deepEqual(
    out.demonstrations!.map((batch) => (batch as { id: number }).id),
    [0, 1, 2, 3],
  )
  t.is(out.seeds!.length, 1)
})

test('the sampler and the judge keep their counts', async (t) => {
  const steps = (input: string, messages: readonly unknown[]) => messages.map((message) => ({ send: input, message }))
  const { out } = await checkCuts(t, sampler, {
    config: { ...COMMON, candidates: 3 },
    steps: [
      ...steps(
        'prompts',
        [0, 1, 2].map((id) => promptBatch(id)),
      ),
      { end: 'prompts' },
    ],
    published: await published(),
  })
  t.is(out.candidates!.length, 3)
  await checkCuts(t, judge, {
    config: { ...COMMON, judgments: 2 },
    steps: [...steps('candidates', out.candidates!), { end: 'candidates' }],
    published: await published(),
  })
})

const inventing = { ...COMMON, iterations: [9, 5], promptsPerUpdate: 4, batch: 3, staleness: 1, shots: 3 }

test('the prompt generator goes on in the middle of an update, with its pool and what it has ready', async (t) => {
  const config = { ...inventing, engine: { batch: 16 }, maxRougeL: 0.9 }
  const steps = [{ send: 'seeds', message: seeds }, ...Array.from({ length: 8 }, () => ({ pull: 1 }))]
  const { out, completed } = await checkCuts(t, promptGenerator, { config, steps, published: await published() })
  t.deepEqual([...completed], ['prompts'])
  t.is(out.prompts!.length, 8)
})

test('the prompt generator keeps the model that it began with, whatever is published by then', async (t) => {
  const config = { ...inventing, maxRougeL: 0.9 }
  const steps = [{ send: 'seeds', message: seeds }, ...Array.from({ length: 8 }, () => ({ pull: 1 }))]
  const whole = await checkCuts(t, promptGenerator, { config, steps, published: await published() })
  const before = await host(promptGenerator, { config, weights: storeWith(await published()) })
  before.send('seeds', seeds)
  before.pull(1)
  await before.settled()
  const weights = storeWith({ version: 9, params: untrained() })
  const after = await host(promptGenerator, { config, weights, state: await snapshotOf(before) })
  after.pull(2)
  await after.settled()
  t.deepEqual([...before.out.prompts!, ...after.out.prompts!], whole.out.prompts!.slice(0, 3))
})

test('a generator that has given up says so once', async (t) => {
  const config = { ...inventing, attempts: 1 }
  const steps = [{ send: 'seeds', message: seeds }, { pull: 1 }, { pull: 1 }]
  const { said } = await checkCuts(t, promptGenerator, {
    config,
    steps,
    published: { version: 0, params: untrained() },
  })
  t.is(said.filter((event) => 'level' in event && event.level === 'warn').length, 1)
})

test('the evaluator remembers the first and the last model, and how the first one judged', async (t) => {
  const random = seededRandom(1, 'changes')
  const params = await model
  const models = [params, params.map((value) => value + 0.02 * random.normal()), untrained()]
  const steps = models.map((values, i) => {
    const message: ModelSnapshot = { name: `M${i + 1}`, version: i, params: values, pairs: i, droppedTies: 0 }
    return { send: 'snapshots', message }
  })
  const { out } = await checkCuts(t, evaluator, {
    config: { ...COMMON, gold: TINY_GOLD, prompts: 12, samples: 2, judgeSet: 8 },
    steps: [...steps, { end: 'snapshots' }],
  })
  t.is(out.evaluations!.length, 3)
})

test('a message that is given up leaves an empty batch, that names its prompts all the way', async (t) => {
  const weights = storeWith(await published())
  const sampling = await host(sampler, { config: COMMON, weights })
  const { candidates } = sampling.actor.setAside!('prompts', promptBatch(3)) as { candidates: JudgedBatch }
  t.like(candidates, { id: 3, update: 3, lastOfUpdate: true, groups: [], abandoned: ['3.0', '3.1'] })
  t.false('prompts' in candidates)
  t.like(await sampling.actor.api!.counts!(), { issued: 2, tokens: 0 })

  const judging = await host(judge, { config: COMMON, weights })
  judging.send('candidates', candidates)
  await judging.settled()
  t.like(judging.out.judged![0], { id: 3, groups: [], abandoned: ['3.0', '3.1'] })
  const mixed = { ...candidateBatch(4), abandoned: ['before'] }
  const { judged } = judging.actor.setAside!('candidates', mixed) as { judged: JudgedBatch }
  t.like(judged, { id: 4, update: 4, groups: [], abandoned: ['before', '4.0', '4.1'] })
})

const begun = { counts: { attempts: 0, kept: 0, dropped: {} }, ready: [], made: [], seeds: [] }
const plan = { id: 0, iteration: 0, update: 0, iterationStart: 0, wanted: 0, room: 0, left: 0, begun: false }
for (const [definition, config, state, message] of [
  [
    source,
    { world: TINY_WORLD, demonstrations: { ift: 1, eft: 1, prompts: 1 } },
    { batches: -1 },
    /of the source .*batches/,
  ],
  [sampler, COMMON, { issued: 1, tokens: 0.5, busyMs: 0 }, /of the sampler .*tokens/],
  [judge, COMMON, null, /of the judge .*state/],
  [promptGenerator, inventing, { inventor: begun, plan, ended: 'no' }, /of the prompt-generator .*ended/],
  [
    promptGenerator,
    inventing,
    { inventor: begun, plan, ended: false, frozen: { version: 0, params: new Float32Array(3) } },
    /frozen.params: not a float32 vector of 11200 elements/,
  ],
  [
    evaluator,
    { ...COMMON, gold: TINY_GOLD, prompts: 1, judgeSet: 1 },
    { done: [{}] },
    /of the evaluator .*done.0: not an/,
  ],
] as const)
  test(`a state that is not one of the ${definition.role} is refused by name: ${message}`, async (t) => {
    const restoring = host(definition as typeof sampler, {
      config: config as typeof COMMON,
      weights: storeWith(),
      state,
    })
    await t.throwsAsync(restoring, { code: 'E_JOURNAL', message })
  })
