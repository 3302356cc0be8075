import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import fc from 'fast-check'
import { type CostedTurn, checkTimeKeys, createCosts, createLinkModel } from '../../../runtime/time/cost.js'
import type { CostsConfig } from '../../../runtime/time/cost-config.js'

const N = 40_000
const turn = (index: number, actor = 'judge') => ({ actor, role: 'judge', name: 'judge', index })

function createCostModel(config: CostsConfig, seed: number): (turn: CostedTurn) => number {
  const costs = createCosts(config, seed)
  return (turn) => costs(turn)(turn.index, turn.attributes)
}

function draws(cost: CostsConfig[string], seed = 1): number[] {
  const model = createCostModel({ judge: cost }, seed)
  return Array.from({ length: N }, (_, index) => model(turn(index)))
}

function near(t: ExecutionContext, values: readonly number[], mean: number, variance: number): void {
  const found = values.reduce((a, b) => a + b, 0) / values.length
  const error = Math.sqrt(variance / values.length)
  t.true(Math.abs(found - mean) < 5 * error, `mean ${found} is not within 5 · ${error} of ${mean}`)
}

/** Of a share of `values` above the 95th percentile: a binomial's standard error. */
function nearP95(t: ExecutionContext, values: readonly number[], p95: number): void {
  const above = values.map((value) => Number(value > p95))
  near(t, above, 0.05, 0.05 * 0.95)
}

test('means and percentiles are those of the distributions (5 standard errors)', (t) => {
  t.true(draws({ ms: 3 }).every((value) => value === 3))
  const uniform = draws({ distribution: 'uniform', minMs: 2, maxMs: 8 })
  near(t, uniform, 5, 36 / 12)
  t.true(uniform.every((value) => value >= 2 && value < 8))
  const exponential = draws({ distribution: 'exponential', meanMs: 4 })
  near(t, exponential, 4, 16)
  nearP95(t, exponential, 4 * Math.log(20))
  const lognormal = draws({ distribution: 'lognormal', meanMs: 10, p95Ms: 20 })
  // σ solves σ²/2 − 1.645 σ + ln 2 = 0; the variance is (e^(σ²) − 1) · mean².
  const sigma = 1.6448536 - Math.sqrt(1.6448536 ** 2 - 2 * Math.LN2)
  near(t, lognormal, 10, Math.expm1(sigma ** 2) * 100)
  nearP95(t, lognormal, 20)
  const normal = draws({ distribution: 'normal', meanMs: 50, p95Ms: 50 + 1.6448536 * 5 })
  near(t, normal, 50, 25)
  nearP95(t, normal, 50 + 1.6448536 * 5)
})

test('the normal distribution is truncated at 0, not folded or clamped', (t) => {
  const values = draws({ distribution: 'normal', meanMs: 2, p95Ms: 2 + 1.6448536 * 4 })
  // With μ = 2, σ = 4: φ(½) / Φ(½) = 0.352065 / 0.691462, mean μ + σ·r, variance σ²(1 − r/2 − r²).
  const ratio = 0.3520653267642995 / 0.6914624612740131
  near(t, values, 2 + 4 * ratio, 16 * (1 - ratio / 2 - ratio ** 2))
  t.true(values.every((value) => value >= 0))
  t.is(values.filter((value) => value === 0).length, 0)
})

test('some turns straggle, the others keep their length', (t) => {
  const base = { distribution: 'normal', meanMs: 1, p95Ms: 4 } as const
  const plain = draws(base)
  const straggling = draws({ ...base, straggler: { probability: 0.1, factor: 20 } })
  const slower = straggling.map((value, i) => value / (plain[i] ?? 0))
  t.true(slower.every((factor) => Math.abs(factor - 1) < 1e-9 || Math.abs(factor - 20) < 1e-9))
  const steady = draws({ ms: 2, straggler: { probability: 0.1, factor: 20 } })
  near(
    t,
    steady.map((value) => Number(value === 40)),
    0.1,
    0.09,
  )
  t.true(steady.every((value) => value === 2 || value === 40))
})

test('a cost depends on seed, actor, turn and index alone, never on what was asked before', (t) => {
  const config: CostsConfig = {
    '*': { distribution: 'lognormal', meanMs: 3, p95Ms: 9, straggler: { probability: 0.2, factor: 5 } },
  }
  const asked = fc.record({
    actor: fc.constantFrom('a', 'b', 'b/1'),
    name: fc.constantFrom('x', 'y'),
    index: fc.nat(50),
  })
  const property = fc.property(fc.nat(), fc.array(asked, { minLength: 1, maxLength: 60 }), (seed, turns) => {
    const one = createCostModel(config, seed)
    const other = createCostModel(config, seed)
    const lengths = turns.map((each) => one({ role: 'r', ...each }))
    const backwards = turns.toReversed().map((each) => other({ role: 'r', ...each }))
    t.deepEqual(backwards.toReversed(), lengths)
  })
  fc.assert(property, { seed: 4, numRuns: 100 })
  const first = draws({ distribution: 'exponential', meanMs: 1 })
  t.notDeepEqual(draws({ distribution: 'exponential', meanMs: 1 }, 2), first)
  const model = createCostModel({ judge: { distribution: 'exponential', meanMs: 1 } }, 1)
  t.is(model(turn(9)), first[9]!)
  t.not(model(turn(9, 'judge/1')), first[9]!, 'replicas have their own lengths')
})

test('the key that says most about a turn gives its cost; without a key it is 1 ms', (t) => {
  const costs: CostsConfig = {
    '*': 1.5,
    '*:save': 2,
    learner: 3,
    'learner:update': 4,
    second: 5,
    'second/1': 6,
    'second/1:update': 7,
  }
  const model = createCostModel(costs, 1)
  const of = (actor: string, role: string, name: string) => model({ actor, role, name, index: 0 })
  t.is(of('x', 'y', 'z'), 1.5)
  t.is(of('x', 'y', 'save'), 2)
  t.is(of('w', 'learner', 'save'), 3)
  t.is(of('x/4', 'learner', 'update'), 4)
  t.is(of('second', 'learner', 'update'), 5)
  t.is(of('second/0', 'learner', 'update'), 5)
  t.is(of('second/1', 'learner', 'save'), 6)
  t.is(of('second/1', 'learner', 'update'), 7)
  t.is(createCostModel({}, 1)(turn(0)), 1)
})

test('a cost per item is multiplied by the turn’s attribute', (t) => {
  const model = createCostModel({ judge: { ms: 0.5, perItem: 'batch' } }, 1)
  t.is(model({ ...turn(0), attributes: { batch: 24 } }), 12)
  t.is(model({ ...turn(0), attributes: { batch: 0 } }), 0)
  t.is(model({ ...turn(0), attributes: { batch: 'many' } }), 0.5)
  t.is(model(turn(0)), 0.5)
})

const event = (cat: string, name: string, ms: number, args: object = {}) =>
  JSON.stringify({ ph: 'X', cat, name, ts: 0, dur: ms * 1000, pid: 1, tid: 1, args })

function recording(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'troupe-recording-'))
  writeFileSync(join(folder, 'trace.json'), text)
  return folder
}

test('recorded lengths come back with the frequencies that they had', (t) => {
  const lines = [1, 2, 2, 5].map((ms) => event('judge', 'judge', ms))
  const others = [event('judge', 'warm-up', 900), event('learner', 'judge', 900), '{"ph":"C","name":"x","args":{}}']
  const folder = recording(`[\n${[...lines, ...others].join(',\n')}\n]\n`)
  const values = draws({ recorded: folder })
  t.deepEqual([...new Set(values)].sort(), [1, 2, 5])
  for (const [ms, share] of [
    [1, 0.25],
    [2, 0.5],
    [5, 0.25],
  ] as const) {
    near(
      t,
      values.map((value) => Number(value === ms)),
      share,
      share * (1 - share),
    )
  }
  t.deepEqual(draws({ recorded: join(folder, 'trace.json') }), values)
})

test('recordings per item, of runs that were killed, and in one line are read', (t) => {
  const killed = recording(
    `[\n${event('judge', 'judge', 8, { batch: 4 })},\n${event('judge', 'judge', 9)},\n{"ph":"X","ca`,
  )
  const model = createCostModel({ judge: { recorded: killed, perItem: 'batch' } }, 1)
  t.is(model({ ...turn(0), attributes: { batch: 10 } }), 20)
  const other = recording(`{"traceEvents":[${event('judge', 'judge', 7)}],"displayTimeUnit":"ms"}`)
  t.is(createCostModel({ '*': { recorded: other, straggler: { probability: 1, factor: 3 } } }, 1)(turn(0)), 21)
})

test('what a recording lacks is said, with what it has', (t) => {
  const folder = recording(`[${event('judge', 'judge', 1, { batch: 1 })}]`)
  const ask = (config: CostsConfig, role: string, name: string) => () =>
    createCostModel(config, 1)({ actor: 'a', role, name, index: 0 })
  const all = { '*': { recorded: folder } }
  const hint = (run: () => unknown) => t.throws(run, { code: 'E_DATA' }) as Error & { hint?: string }
  const role = hint(ask(all, 'learner', 'update'))
  t.deepEqual([role.message, role.hint], ['the recording has no turns of the role "learner"', 'It has: judge'])
  t.regex(hint(ask(all, 'judge', 'update')).message, /no turns "update" of the role "judge"/)
  const item = hint(ask({ '*': { recorded: folder, perItem: 'tokens' } }, 'judge', 'judge'))
  t.regex(`${item.message}: ${item.hint}`, /with a number "tokens": It has: batch/)
  t.throws(() => createCostModel({ a: { recorded: recording('[]') } }, 1), { code: 'E_DATA', message: /no turns/ })
  t.throws(() => createCostModel({ a: { recorded: '/no/such/run' } }, 1), {
    code: 'E_CONFIG',
    message: 'there is no recording at "/no/such/run"',
  })
})

test('a wrong cost is refused by its key', (t) => {
  const wrong = (config: object, message: RegExp) =>
    t.throws(() => createCostModel(config as CostsConfig, 1), { code: 'E_CONFIG', message })
  wrong({ judge: 'slow' }, /^"costs\.judge" must be a number, \{ ms \}, \{ recorded \} or a distribution/)
  wrong({ judge: -1 }, /^"costs\.judge\.ms" must be a number of at least 0$/)
  wrong({ judge: Number.POSITIVE_INFINITY }, /^"costs\.judge\.ms"/)
  wrong({ judge: { ms: 1, mean: 2 } }, /^"costs\.judge" has an unknown key "mean"$/)
  wrong({ judge: { distribution: 'gamma' } }, /^"costs\.judge\.distribution" must be .*"lognormal"/)
  wrong({ judge: { distribution: 'uniform', minMs: 3, maxMs: 1 } }, /^"costs\.judge\.maxMs" .* at least minMs$/)
  wrong({ judge: { distribution: 'lognormal', meanMs: 1, p95Ms: 4 } }, /^"costs\.judge\.p95Ms" must be .* 3\.86/)
  wrong({ judge: { ms: 1, straggler: { probability: 2, factor: 2 } } }, /probability" must be a number between 0 and 1/)
  wrong({ 'a:b:c': 1 }, /^"costs\.a:b:c" is a wrong key/)
  t.throws(() => createLinkModel({ judge: 1 }, 1), { code: 'E_CONFIG', message: /must be of the form from->to/ })
  t.throws(() => createLinkModel({ 'a->b': { ms: 1, perItem: 'x' } }, 1), { message: /perItem" must be left out/ })
})

test('latencies go by pair, the most literal key first; without a key there is none', (t) => {
  const links = { '*->*': 1, 'sampler->*': 2, '*->judge': 3, 'sampler->judge/1': 4, 'a.c->x': 5 }
  const latency = createLinkModel(links, 1)
  const of = (from: string, to: string) => latency({ from, to, index: 0 })
  t.is(of('x', 'y'), 1)
  t.is(of('sampler/3', 'learner'), 2)
  t.is(of('prompts', 'judge/0'), 3)
  t.is(of('sampler/0', 'judge/1'), 4)
  t.is(of('sampler/0', 'judge/0'), 2, 'sampler is longer than judge')
  t.is(of('a.c', 'x'), 5)
  t.is(of('abc', 'x'), 1, 'a dot is a dot')
  t.is(createLinkModel({}, 1)({ from: 'a', to: 'b', index: 3 }), 0)
})

test('latencies depend on seed, pair and index alone', (t) => {
  const links = { '*->*': { distribution: 'exponential', meanMs: 2 } } as const
  const of = (seed: number, from: string) => {
    const latency = createLinkModel(links, seed)
    return Array.from({ length: N }, (_, i) => latency({ from, to: 'b', index: N - 1 - i })).toReversed()
  }
  const forwards = createLinkModel(links, 1)
  t.deepEqual(
    of(1, 'a').slice(0, 100),
    Array.from({ length: 100 }, (_, index) => forwards({ from: 'a', to: 'b', index })),
  )
  near(t, of(1, 'a'), 2, 4)
  t.notDeepEqual(of(1, 'a'), of(1, 'c'))
  t.notDeepEqual(of(1, 'a'), of(2, 'a'))
})

test('a key about nobody is refused', (t) => {
  const actors = [
    { actor: 'sampler/0', role: 'sampler' },
    { actor: 'teacher', role: 'judge' },
  ]
  const costs = { sampler: 1, 'sampler/0': 1, 'judge:warm-up': 1, teacher: 1, '*': 1 }
  t.notThrows(() => checkTimeKeys({ costs, links: { 'sampler->*': 1, '*->teacher': 1 } }, actors))
  t.throws(() => checkTimeKeys({ costs: { samplr: 1 } }, actors), {
    code: 'E_CONFIG',
    message: '"costs.samplr" is about no actor of this troupe',
  })
  t.throws(() => checkTimeKeys({ links: { 'sampler->judges': 1 } }, actors), {
    code: 'E_CONFIG',
    message: '"links.sampler->judges" is about no actors of this troupe',
  })
})

test('a recording that lacks what is asked of it is refused before a turn asks', (t) => {
  const turns = [event('judge', 'judge', 1, { prompts: 3 }), event('learner', 'sft', 1, { examples: 2 })]
  const path = recording(`[${turns.join(',')}]`)
  const actors = ['judge', 'learner', 'sampler'].map((role) => ({ actor: role, role }))
  const check = (costs: CostsConfig) => () => checkTimeKeys({ costs }, actors)
  t.notThrows(check({ judge: { recorded: path, perItem: 'prompts' }, 'learner:sft': { recorded: path } }))
  const wrong = (costs: CostsConfig, message: RegExp) => t.throws(check(costs), { code: 'E_DATA', message })
  wrong({ sampler: { recorded: path } }, /no turns of the role "sampler"/)
  wrong({ '*': { recorded: path } }, /no turns of the role "sampler"/)
  wrong({ 'learner:dpo': { recorded: path } }, /no turns "dpo" of the role "learner"/)
  wrong(
    { learner: { recorded: path, perItem: 'prompts' } },
    /no turns "sft" of the role "learner" with a number "prompts"/,
  )
})
