import { resolve } from 'node:path'
import test from 'ava'
import { resolveConfig } from '../../cli/config.js'
import { nearest } from '../../cli/nearest.js'
import { schemaKeys } from '../../cli/schema-keys.js'
import { scenarios } from '../../scenarios/index.js'
import type { Scenario } from '../../scenarios/scenario.js'
import { toy } from './fixtures/toy.js'

const scenario = toy as unknown as Scenario

test('the first preset is the default, settings lie over it and defaults under it', (t) => {
  const { preset, config } = resolveConfig(scenario, undefined, ['speed=2.5'])
  t.is(preset, 'quick')
  t.like(config, { updates: 20, speed: 2.5, hang: false, nested: { depth: 1, label: 'toy' } })
})

test('a nested setting leaves its siblings in the preset alone', (t) => {
  const { config } = resolveConfig(scenario, 'full', ['nested.label=x', 'updates=3'])
  t.like(config, { updates: 3, nested: { depth: 7, label: 'x' } })
  t.deepEqual(scenario.presets.full, { updates: 120, nested: { depth: 7 } }, 'the preset itself is not written to')
})

test('values are JSON where they are JSON, else text; of two settings the later one counts', (t) => {
  const { config } = resolveConfig(scenario, undefined, [
    'hang=true',
    'nested={"depth":4}',
    'nested.label=1=1',
    'hang=false',
  ])
  t.like(config, { hang: false, nested: { depth: 4, label: '1=1' } })
})

test('text that happens to be JSON of another type is refused, and quoting it helps', (t) => {
  t.throws(() => resolveConfig(scenario, undefined, ['nested.label=5']), {
    message: /"nested\.label" must be text, but 5 was given/,
  })
  t.like(resolveConfig(scenario, undefined, ['nested.label="5"']).config, { nested: { label: '5' } })
})

test('every key of a schema is listed with its default and what it expects', (t) => {
  const keys = schemaKeys(toy.config)
  t.deepEqual(
    keys.map((key) => [key.key, key.default]),
    [
      ['updates', 20],
      ['speed', 0],
      ['fail', 'never'],
      ['hang', false],
      ['deaf', false],
      ['nested.depth', 1],
      ['nested.label', 'toy'],
    ],
  )
  t.is(keys[0]?.expects, 'a whole number (at least 1, at most 5000)')
})

test('nearest names slips of the hand and nothing far away', (t) => {
  t.deepEqual(nearest('stalenes.max', ['staleness.max', 'stage', 'samples']), ['staleness.max'])
  t.deepEqual(nearest('max', ['staleness.max', 'min']), ['staleness.max', 'min'])
  t.deepEqual(nearest('temperature', ['seed', 'beta']), [])
})

test('a text for a group with a from is its from, and what else is set of the group stays', (t) => {
  const { oaif } = scenarios
  const settings = ['demonstrations.epochs=2', 'demonstrations=mine.jsonl', 'model=./folder', 'prompts=a.parquet']
  const { config } = resolveConfig(oaif!, 'full', settings)
  t.like(config, {
    demonstrations: { from: resolve('mine.jsonl'), epochs: 2, ift: 60_000 },
    model: { from: resolve('folder'), layers: 2 },
    prompts: resolve('a.parquet'),
  })
  t.throws(() => resolveConfig(oaif!, 'full', ['model=3']), {
    code: 'E_CONFIG',
    message: /"model" must be a group of keys/,
  })
  t.throws(() => resolveConfig(oaif!, 'full', ['staleness=tight']), {
    code: 'E_CONFIG',
    message: /"staleness" must be a group/,
  })
})

test('a key that is a switch or a group can be set either way, and is listed with the keys of the group', (t) => {
  const selfRewarding = scenarios['self-rewarding']!
  const of = (...settings: string[]) => resolveConfig(selfRewarding, undefined, settings).config.meta as object | false
  t.is(of(), false)
  t.like(of('meta=true'), { judgeIterations: 2, rho: [0, 0.32, 0.32, 0.4] })
  t.like(of('meta=true', 'meta.rho=[0.1]'), { judgeIterations: 2, rho: [0.1] })
  t.deepEqual(selfRewarding.config.parse({ meta: of('meta=true') }).meta, of('meta=true'), 'as it is written down')
  const keys = schemaKeys(selfRewarding.config)
  t.like(
    keys.find(({ key }) => key === 'meta'),
    { expects: 'true or false or a group of keys', default: false },
  )
  t.like(
    keys.find(({ key }) => key === 'meta.judgeIterations'),
    { default: 2 },
  )
  t.throws(() => of('meta.judgeIteration=1'), { code: 'E_CONFIG' })
  t.throws(() => of('meta=3'), { code: 'E_CONFIG', message: /"meta" must be true or false or a group of keys/ })
})
