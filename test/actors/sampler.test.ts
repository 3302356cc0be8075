import test from 'ava'
import { sampler } from '../../actors/index.js'
import type { CandidateBatch, ModelSnapshot, PromptBatch, SampledCompletion } from '../../actors/messages.js'
import { initParams, openMixture, openModel, paramLayout } from '../../models/index.js'
import { createTroupe, type OutputRef, seededRandom } from '../../runtime/index.js'
import { createWeightStore } from '../../runtime/tensor/index.js'
import { alone, COMMON, TINY_MODEL, untrained } from './fixtures/alone.js'
import { promptBatch } from './fixtures/batches.js'
import { checkCuts, storeWith } from './fixtures/cuts.js'
import { feeder, keeper } from './fixtures/ends.js'
import { host } from './fixtures/host.js'
import { createWorld } from './fixtures/tiny-world.js'

const prompts = ['copy ant bee', 'turn cat dog eel', 'copy fox gnu', 'turn hen jay'].map((text, i) => ({
  id: `p${i}`,
  text,
}))

function batch(id: number, of: PromptBatch['prompts'], minVersion = 0): PromptBatch {
  const flags = { lastOfUpdate: true, lastOfIteration: false }
  return { id, iteration: 0, update: id, minVersion, generatorVersion: 0, ...flags, prompts: of }
}

const M1 = initParams(TINY_MODEL, seededRandom(2, 'first'))
const first: ModelSnapshot = { name: 'M1', version: 0, params: M1, pairs: 0, droppedTies: 0 }
const PLAIN = { temperature: 1, topP: 1 }

const sample = async (batches: readonly PromptBatch[], more: object = {}, reference?: ModelSnapshot) => {
  const { out, answer } = await alone(sampler, 'candidates', 'counts', {
    config: { ...COMMON, candidates: 3, sampling: PLAIN, ...more },
    inputs: { prompts: batches, ...(reference ? { reference: [reference] } : {}) },
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

const textsOf = (completions: readonly SampledCompletion[]) => completions.map(({ tokens }) => [...tokens])
const worst = (a: Float32Array, b: Float32Array) => Math.max(...a.map((x, i) => Math.abs(x - b[i]!)))

test('each writer writes its own, in the order that is asked for, and the policy as if it were alone', async (t) => {
  const writers = [
    { by: 'first', n: 1 },
    { by: 'people', n: 2 },
    { by: 'policy', n: 3 },
    { by: 'mixture', n: 2, weight: 0.4 },
  ]
  const answered = prompts.map((prompt, i) => ({
    ...prompt,
    answers: ['ant bee', 'bee', 'never'].slice(0, 2 + (i % 2)),
  }))
  const alone = await sample([batch(0, prompts)])
  const { groups, counts } = await sample([batch(0, answered)], { writers }, first)
  const sampling = { ...PLAIN, topK: 0, maxNewTokens: createWorld().limits.answer, stopTokens: [TINY_MODEL.eosTokenId] }
  const models = {
    first: openModel(TINY_MODEL, M1, { backend: 'onnx' }),
    mixture: openMixture(TINY_MODEL, untrained(), M1, 0.4, { backend: 'onnx' }),
    policy: openModel(TINY_MODEL, untrained(), { backend: 'onnx' }),
  }
  const { words, answerContext } = createWorld()
  const encode = (text: string) => Int32Array.from(text.split(' '), (word) => words.indexOf(word))
  for (const [i, { completions, promptId, version }] of groups.entries()) {
    const prompt = encode(answerContext(prompts[i]!.text))
    t.deepEqual(version, { start: 5, end: 5 })
    t.deepEqual(
      completions.map(({ writer }) => writer),
      ['first', 'people', 'people', 'policy', 'policy', 'policy', 'mixture', 'mixture'],
    )
    t.deepEqual(completions.slice(3, 6), alone.groups[i]!.completions)
    for (const [by, own] of [['first', completions.slice(0, 1)] as const, ['mixture', completions.slice(6)] as const]) {
      const random = seededRandom(1, 'sampler').stream(by, promptId)
      const [expected] = await models[by].generate([{ prompt, n: own.length, random }], sampling)
      t.deepEqual(textsOf(own), textsOf(expected as never), `${by} draws from its own stream`)
      const logprobs = by === 'first' ? models.first.logprobs : models.policy.logprobs
      for (const { tokens, logprobs: said } of own) {
        const [full] = await logprobs([{ tokens: Int32Array.of(...prompt, ...tokens), promptLength: prompt.length }])
        t.true(worst(said, full!) < 1e-4, `${by} says log-probabilities of the right model`)
      }
    }
    t.deepEqual(completions.slice(1, 3), [
      {
        writer: 'people',
        text: 'ant bee',
        tokens: encode('ant bee </s>'),
        logprobs: new Float32Array(3),
        finish: 'stop',
      },
      { writer: 'people', text: 'bee', tokens: encode('bee </s>'), logprobs: new Float32Array(2), finish: 'stop' },
    ])
  }
  const sampled = groups.flatMap(({ completions }) => completions.filter(({ writer }) => writer !== 'people'))
  t.is(
    counts.tokens,
    sampled.reduce((sum, { tokens }) => sum + tokens.length, 0),
    'people’s tokens are not sampled ones',
  )
  await Promise.all(Object.values(models).map((model) => model.dispose()))
})

test('a group that the policy has no part in has no version, and waits for none; one of the mixture has the policy’s', async (t) => {
  const answered = prompts.map((prompt) => ({ ...prompt, answers: ['ant'] }))
  const unwritten = [
    { by: 'first', n: 1 },
    { by: 'people', n: 1 },
  ]
  const late = await sample([batch(0, answered, 99)], { writers: unwritten, deadlineMs: 1 }, first)
  t.deepEqual(
    late.groups.map(({ version }) => version),
    prompts.map(() => ({ start: -1, end: -1 })),
  )
  const mixed = await sample([batch(0, prompts)], { writers: [{ by: 'mixture' }] }, first)
  t.deepEqual(
    mixed.groups.map(({ version, completions }) => [version, completions.length]),
    prompts.map(() => [{ start: 5, end: 5 }, 1]),
  )
  const inFlight = await sample(
    [batch(0, prompts)],
    { writers: [{ by: 'mixture' }, { by: 'first' }], inFlight: 'keep' },
    first,
  )
  for (const { completions } of inFlight.groups)
    t.deepEqual(
      completions.map(({ versions }) => versions && new Set(versions)),
      [new Set([5]), undefined],
    )
})

test('prompts wait until the first model has come, and it stays what it was across snapshots', async (t) => {
  const config = {
    ...COMMON,
    writers: [{ by: 'policy' as const }, { by: 'first' as const }, { by: 'mixture' as const }],
  }
  const published = { version: 0, params: untrained() }
  const early = await host(sampler, { config, weights: storeWith(published) })
  t.throws(() => early.send('prompts', promptBatch(0)), { message: /nobody listens to prompts/ })
  early.send('reference', first)
  early.send('prompts', promptBatch(0))
  await early.settled()
  const [{ groups }] = early.out.candidates as [CandidateBatch]
  t.deepEqual(
    groups[0]!.completions.map(({ writer }) => writer),
    ['policy', 'first', 'mixture'],
  )
  await early.actor.stop?.()
  await checkCuts(t, sampler, {
    config,
    steps: [
      { send: 'reference', message: first },
      ...[0, 1].map((id) => ({ send: 'prompts', message: promptBatch(id) })),
      { end: 'prompts' },
    ],
    published,
  })
})

test('what a writer needs and does not get is said', async (t) => {
  const fails = async (writers: readonly object[], reference: ModelSnapshot | undefined, cause: object) => {
    const error = await t.throwsAsync(sample([batch(0, prompts)], { writers }, reference))
    t.like(error, { code: 'E_ACTOR_FAILED', where: 'sampler' })
    t.like(error!.cause, cause)
  }
  await fails([{ by: 'first' }], undefined, {
    code: 'E_CONFIG',
    message: 'a writer reads the first model (first, mixture), and none came',
  })
  const short = { ...first, params: M1.slice(1) }
  await fails([{ by: 'mixture' }], short, {
    code: 'E_DATA',
    message: 'the first model has 11199 parameters, the policy 11200',
  })
  await fails([{ by: 'people', n: 2 }], undefined, {
    code: 'E_DATA',
    message: "prompt p0 has 0 of people's answers, not 2",
  })
  const refused = (writers: readonly object[], message: RegExp) =>
    t.throws(() => sampler.config.parse({ ...COMMON, writers }), { message })
  refused([], /writers/)
  refused([{ by: 'policy' }, { by: 'policy' }], /each writer at most once/)
  refused([{ by: 'policy', weight: 0.5 }], /weight/)
  refused([{ by: 'mixture', weight: 2 }], /weight/)
})

/** Three samplers, and the first model sent so many times. */
async function sampleInReplicas(
  writers: { by: 'policy' | 'first' }[],
  batches: readonly PromptBatch[],
  models: number,
) {
  const store = createWeightStore(paramLayout(TINY_MODEL))
  store.publish(5, untrained())
  const troupe = createTroupe({ stage: 'inline', seed: 1, weights: store.handle })
  const feed = (name: string, items: unknown[]) => troupe.actor(feeder, { name, config: { items } }).outputs.items
  const samplers = troupe.actor(sampler, { config: { ...COMMON, sampling: PLAIN, writers }, replicas: 3 })
  const receiver = troupe.actor(keeper, { config: {} })
  const sent = feed(
    'models',
    Array.from({ length: models }, () => first),
  )
  troupe.connect(sent as OutputRef<ModelSnapshot>, samplers.inputs.reference)
  troupe.connect(feed('prompts', [...batches]) as OutputRef<PromptBatch>, samplers.inputs.prompts)
  troupe.connect<unknown>(samplers.outputs.candidates, receiver.inputs.items)
  try {
    await troupe.start()
    await troupe.done
    return ((await receiver.ask.kept()) as CandidateBatch[]).sort((a, b) => a.id - b.id)
  } finally {
    await troupe.stop()
  }
}

test('each replica takes a first model of its own, so as many must be sent', async (t) => {
  const writers = [{ by: 'policy' as const }, { by: 'first' as const }]
  const batches = Array.from({ length: 5 }, (_, id) => batch(id, prompts))
  const alone = await sample(batches, { writers }, first)
  const kept = await sampleInReplicas(writers, batches, 3)
  t.deepEqual(
    kept.flatMap(({ groups }) => groups),
    alone.groups,
  )
  const error = await t.throwsAsync(sampleInReplicas(writers, batches, 1))
  t.like(error!.cause, { code: 'E_CONFIG', message: 'a writer reads the first model (first, mixture), and none came' })
})
