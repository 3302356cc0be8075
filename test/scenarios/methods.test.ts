import test from 'ava'
import { METRICS } from '../../actors/metric-table.js'
import { scenarios } from '../../scenarios/index.js'
import { arrangementOf, methodPlan } from '../../scenarios/method-plan.js'
import { summarySchema } from '../../scenarios/summary.js'
import { scenarioNamed, type Tree, tinyMethodConfig, tinyMethodRun } from './fixtures/tiny-method.js'
import { figures, records, type TinyRun } from './fixtures/tiny-run.js'

const ANNOTATED = ['annotator', 'evaluator', 'learner', 'prompt-source', 'sampler', 'source']
const REWARDED = ['evaluator', 'learner', 'preference-source', 'prompt-source', 'reward-model', 'sampler', 'source']
const OFFLINE = ['evaluator', 'learner', 'preference-source', 'source']
const own = ['policy']

interface Case {
  readonly name: string
  readonly settings?: Tree
  readonly roles: readonly string[]
  /** Who wrote what is trained on. */
  readonly writers: readonly string[]
  /** Updates between the version that writes and the learner, at most; 1 is the last of two of an iteration. */
  readonly lag: 0 | 1
  readonly metrics: readonly string[]
}

const PAIRS = ['rewards/margins', 'rewards/accuracies', 'rewards/chosen', 'rewards/rejected']
const OBJECTIVE = ['objective/score', 'objective/reward', 'objective/kl', 'loss/policy']
const PPO = [...OBJECTIVE, 'loss/value', 'policy/approx_kl', 'policy/clip_fraction']
const CRINGE = { name: 'cringe', margin: 1, temperature: 1, detached: true }

/** Every method, and every way of it that is wired otherwise. */
const cases: readonly Case[] = [
  // the tiny annotator gives few points to what a hardly trained model writes
  {
    name: 'click',
    settings: { training: { selection: { threshold: 0.5 } } },
    ...{ roles: ANNOTATED, writers: own, lag: 1, metrics: PAIRS },
  },
  { name: 'dpo', roles: OFFLINE, writers: ['people'], lag: 0, metrics: PAIRS },
  { name: 'ipo', roles: OFFLINE, writers: ['people'], lag: 0, metrics: PAIRS },
  { name: 'iterative-dpo', roles: REWARDED, writers: own, lag: 1, metrics: PAIRS },
  { name: 'iterative-dpo', settings: { loss: CRINGE }, roles: REWARDED, writers: own, lag: 1, metrics: PAIRS },
  {
    name: 'nash-md',
    ...{ roles: ANNOTATED, writers: ['mixture', 'policy'], lag: 1 },
    metrics: [...OBJECTIVE, 'objective/preference'],
  },
  { name: 'oaif', roles: ANNOTATED, writers: own, lag: 1, metrics: PAIRS },
  { name: 'oaif', settings: { staleness: { max: 0 } }, roles: ANNOTATED, writers: own, lag: 0, metrics: PAIRS },
  { name: 'rejection-sampling', roles: REWARDED, writers: own, lag: 1, metrics: [] },
  // biome-ignore lint/suspicious/noThenProperty: a key of the configuration, which is never awaited
  { name: 'rejection-sampling', settings: { then: 'ppo' }, roles: REWARDED, writers: own, lag: 1, metrics: PPO },
  { name: 'rest', roles: REWARDED, writers: own, lag: 1, metrics: [] },
  {
    name: 'rlaif',
    roles: [...ANNOTATED, 'reward-model'].sort(),
    ...{ writers: own, lag: 1, metrics: OBJECTIVE },
  },
  { name: 'rlaif', settings: { direct: true }, roles: ANNOTATED, writers: own, lag: 1, metrics: OBJECTIVE },
  { name: 'rlhf', roles: REWARDED, writers: own, lag: 1, metrics: PPO },
  {
    name: 'rrhf',
    ...{ roles: REWARDED, writers: ['first', 'people'], lag: 0 },
    metrics: ['loss/rank', 'loss/nll'],
  },
  {
    name: 'rso',
    settings: { sampler: { writers: [{ by: 'first', n: 8 }] }, label: { accept: 4 } },
    ...{ roles: REWARDED, writers: ['first'], lag: 0, metrics: PAIRS },
  },
  { name: 'rso', settings: { data: 'direct' }, roles: OFFLINE, writers: ['people'], lag: 0, metrics: PAIRS },
  {
    name: 'rso',
    settings: { data: 'sft-sample-rank', label: { accept: 4 }, loss: { name: 'hinge-norm' } },
    ...{ roles: REWARDED, writers: ['first'], lag: 0, metrics: PAIRS },
  },
  { name: 'slic-hf', roles: REWARDED, writers: ['first'], lag: 0, metrics: PAIRS },
  { name: 'slic-hf', settings: { data: 'direct' }, roles: OFFLINE, writers: ['people'], lag: 0, metrics: PAIRS },
  {
    name: 'spin',
    roles: ['evaluator', 'learner', 'prompt-source', 'sampler', 'source'],
    ...{ writers: ['people', 'policy'], lag: 1, metrics: PAIRS },
  },
  { name: 'xpo', roles: ANNOTATED, writers: ['first', 'policy'], lag: 1, metrics: PAIRS },
]

interface Sample {
  readonly iteration: number
  readonly update: number
  readonly lag?: number
  readonly version: { readonly start: number; readonly end: number }
  readonly completions: readonly { readonly writer?: string }[]
}
const KNOWN = new Set(METRICS.map(({ name, role }) => `${name} by ${role}`))
const samplesOf = (run: TinyRun) => records(run, 'sample') as Sample[]
const titleOf = ({ name, settings }: Case) => `${name}${settings ? ` ${JSON.stringify(settings)}` : ''}`

test('every scenario is among the cases', (t) => {
  const others = Object.keys(scenarios).filter((name) => name !== 'self-rewarding')
  t.deepEqual([...new Set(cases.map(({ name }) => name))].sort(), others.sort())
})

for (const one of cases)
  test.serial(`${titleOf(one)}: runs to its end; nothing is lost, nothing too old, all is as declared`, async (t) => {
    const { name, settings, roles, writers, lag, metrics } = one
    const run = await tinyMethodRun(name, settings)
    const { summary, events, weights } = run
    t.deepEqual(summarySchema.parse(summary), summary)
    const { issued, consumed, dropped, inFlight } = summary.samples
    t.is(issued, 16)
    t.is(consumed + Object.values(dropped).reduce((a, b) => a + b, 0) + inFlight, issued)
    t.true(consumed >= 4, `${consumed} consumed`)

    t.deepEqual(
      summary.iterations.map(({ name }) => name),
      ['M1', 'M2', 'M3'],
    )
    t.false(weights.M1!.equals(weights.M2!), 'M2 was trained')
    t.false(weights.M2!.equals(weights.M3!), 'M3 was trained')
    t.deepEqual(Object.keys(summary.throughput.busy).sort(), roles)

    const samples = samplesOf(run)
    t.is(samples.length, issued)
    const seen = new Set(samples.flatMap(({ completions }) => completions.map(({ writer }) => writer ?? 'policy')))
    t.deepEqual([...seen].sort(), writers)
    const dated = Object.values(summary.staleness.lag.histogram).reduce((a, b) => a + b, 0)
    const isDated = seen.has('policy')
    t.is(dated, isDated ? consumed : 0)
    t.is(summary.staleness.lag.max, isDated ? lag : 0)
    for (const { update, version } of samples)
      t.true(isDated ? version.start >= update - lag && version.end <= update : version.end === -1)

    const reported = new Set(events.flatMap((e) => (e.type === 'metric' ? [`${e.name} by ${e.actor.role}`] : [])))
    t.deepEqual(
      [...reported].filter((metric) => !KNOWN.has(metric)),
      [],
    )
    for (const metric of metrics) t.true(reported.has(`${metric} by learner`), metric)
    t.true(
      events.every((event) => event.type !== 'metric' || Number.isFinite(event.value)),
      'every figure is a number',
    )
    if (settings) return
    const { traits } = scenarioNamed(name)
    const { rater, staleness } = tinyMethodConfig(name)
    const pace = staleness.max === 'iteration' ? 'per iteration' : 'every step'
    const model = seen.has('first') ? 'initial model' : 'no'
    t.is(traits?.onPolicy, isDated ? pace : model)
    const isRatedLive = isDated && rater !== 'none'
    t.is(traits?.feedback, isRatedLive ? (pace === 'every step' ? 'online' : pace) : 'offline')
    t.is(traits?.trainable.includes('value'), reported.has('loss/value by learner'))
  })

/** What of two runs must be the same to the bit, whatever the stage. */
const outcomeOf = (run: TinyRun) => ({
  ...figures({ ...run.summary, config: {} }),
  samples: records(run, 'sample'),
  evaluations: records(run, 'evaluation'),
  weights: run.weights,
})

const oaif = tinyMethodRun('oaif', { staleness: { max: 0 } })

const virtual = (name: string, more: Tree = {}, seed = 1) =>
  tinyMethodRun(name, { staleness: { max: 0 }, ...more }, { stage: 'virtual', seed })

test.serial('oaif in virtual time is, with no staleness, what it is inline; one seed is one trace', async (t) => {
  const costs = { sampler: { distribution: 'exponential', meanMs: 40 }, learner: 15 }
  const [once, slower] = [await virtual('oaif'), await virtual('oaif', { costs })]
  t.deepEqual(outcomeOf(once), outcomeOf(await oaif))
  t.deepEqual(outcomeOf(slower), outcomeOf(await oaif))
  t.not(slower.traceHash, once.traceHash, 'other costs, other times')
  t.is((await virtual('oaif')).traceHash, once.traceHash)
  t.not((await virtual('oaif', {}, 2)).traceHash, once.traceHash)
})

test.serial('rlhf in virtual time is, with no staleness, what it is inline', async (t) => {
  const inline = await tinyMethodRun('rlhf', { staleness: { max: 0 } })
  t.deepEqual(outcomeOf(await virtual('rlhf')), outcomeOf(inline))
})

test.serial('oaif on threads is, with no staleness, what it is inline', async (t) => {
  const threads = await tinyMethodRun('oaif', { staleness: { max: 0 } }, { stage: 'threads' })
  t.deepEqual(outcomeOf(threads), outcomeOf(await oaif))
})

test('the gold scorer is known to the evaluator alone, the annotator’s module to annotators', async (t) => {
  const annotators = ['annotator', 'rewardAnnotator']
  const at = { backend: 'onnx', out: 'out' } as const
  for (const name of Object.keys(scenarios).filter((name) => name !== 'self-rewarding')) {
    const tiny = tinyMethodConfig(name)
    for (const config of [tiny, scenarioNamed(name).config.parse({}) as typeof tiny]) {
      const { common, ...roles } = await methodPlan(name, config, arrangementOf(config, {}), at)
      t.false(JSON.stringify(common).includes(config.gold.module))
      for (const [role, given] of Object.entries(roles)) {
        const text = JSON.stringify(given)
        t.is(text.includes(config.gold.module), role === 'evaluator', `${name}: gold in ${role}`)
        t.is(text.includes(config.annotator.module), annotators.includes(role), `${name}: annotator in ${role}`)
      }
    }
  }
})

test('costs of an actor that a method has not are refused, but for the defaults', async (t) => {
  const costs = { costs: { annotator: 3 } }
  const message = /"costs.annotator" is about no actor/
  await t.throwsAsync(tinyMethodRun('dpo', costs, { stage: 'virtual' }), { code: 'E_CONFIG', message })
})

test('a loss that lacks a parameter, or a writer, is refused before anything starts', async (t) => {
  for (const [name, loss, message] of [
    ['oaif', { name: 'cringe', margin: 1, temperature: 1 }, /^loss cringe: detached/],
    ['oaif', { name: 'dpo', delta: 1 }, /^loss dpo: .*delta/],
    ['oaif', { name: 'xpo' }, /^loss xpo needs the first model to write/],
    ['dpo', { name: 'xpo' }, /^loss xpo needs the first model to write/],
  ] as const)
    await t.throwsAsync(tinyMethodRun(name, { loss }), { code: 'E_CONFIG', message })
})

test('a baseline of the others of a prompt, where there are none, is refused', async (t) => {
  const sampler = { writers: [{ by: 'policy', n: 1 }] }
  const settings = { direct: true, sampler, iterations: [4] }
  const message = /leave-one-out .* 1 completion/
  await t.throwsAsync(tinyMethodRun('rlaif', settings), { code: 'E_CONFIG', message })
  await t.notThrowsAsync(tinyMethodRun('rlaif', { ...settings, training: { policy: { baseline: 'mean' } } }))
})

test('policy gradients without the policy’s own completions are refused', async (t) => {
  const writers = { sampler: { writers: [{ by: 'first', n: 2 }] } }
  const message = /^ppo learns from the policy's own completions/
  await t.throwsAsync(tinyMethodRun('rlhf', writers), { code: 'E_CONFIG', message })
  await t.throwsAsync(tinyMethodRun('dpo', { training: { objective: 'ppo' } }), { code: 'E_CONFIG', message })
})
