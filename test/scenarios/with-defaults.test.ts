import test from 'ava'
import { z } from 'zod'
import { type PreferenceLossChoice, preferenceLoss } from '../../alignment/index.js'
import { resolveConfig } from '../../cli/config.js'
import { schemaKeys } from '../../cli/schema-keys.js'
import { scenarios } from '../../scenarios/index.js'
import type { MethodConfig } from '../../scenarios/method-config.js'
import { arrangementOf } from '../../scenarios/method-plan.js'
import { withDefaults } from '../../scenarios/with-defaults.js'

const schema = z.strictObject({
  count: z.int().min(1).default(1).describe('how many'),
  rows: z.int().optional().describe('rows, or as many as there are'),
  list: z.array(z.string()).default(['a']),
  group: z
    .strictObject({ kind: z.enum(['x', 'y']).default('x').describe('which'), size: z.number().default(2) })
    .prefault({})
    .describe('a group'),
  deep: z
    .strictObject({ inner: z.strictObject({ a: z.int().default(1), b: z.int().default(2) }).prefault({}) })
    .prefault({}),
})
const own = withDefaults(schema, {
  ...{ count: 5, rows: 8, list: ['b', 'c'], group: { kind: 'y' }, deep: { inner: { b: 7 } } },
})

test('a scenario’s defaults lie under what is given, key by key; lists are replaced', (t) => {
  t.deepEqual(own.parse({}), {
    ...{ count: 5, rows: 8, list: ['b', 'c'], group: { kind: 'y', size: 2 }, deep: { inner: { a: 1, b: 7 } } },
  })
  t.deepEqual(own.parse({ group: { size: 3 } }).group, { kind: 'y', size: 3 })
  t.deepEqual(own.parse({ deep: { inner: { a: 4 } } }).deep, { inner: { a: 4, b: 7 } })
  t.deepEqual(own.parse({ list: [] }).list, [])
  t.deepEqual(schema.parse({}).count, 1, 'the common schema is as it was')
})

test('what was checked is still checked, and described as before', (t) => {
  for (const wrong of [{ count: 0 }, { other: 1 }, { group: { kind: 'z' } }, { deep: { inner: { c: 1 } } }])
    t.false(own.safeParse(wrong).success, JSON.stringify(wrong))
  const keys = schemaKeys(own).map(({ key, default: value, description }) => [key, value, description])
  t.deepEqual(keys, [
    ['count', 5, 'how many'],
    ['rows', 8, 'rows, or as many as there are'],
    ['list', ['b', 'c'], undefined],
    ['group.kind', 'y', 'which'],
    ['group.size', 2, undefined],
    ['deep.inner.a', 1, undefined],
    ['deep.inner.b', 7, undefined],
  ])
})

test('a default for a key that is not there, or that is wrong, is a mistake of the scenario', (t) => {
  t.throws(() => withDefaults(schema, { typo: 1 }), { instanceOf: TypeError, message: /no key "typo"/ })
  t.throws(() => withDefaults(schema, { group: { typo: 1 } }), { instanceOf: TypeError, message: /no key "typo"/ })
  t.false(withDefaults(schema, { count: -1 }).safeParse({}).success)
})

const methods = Object.values(scenarios).filter(({ name }) => name !== 'self-rewarding')
const at = (tree: unknown, path: readonly string[]) =>
  path.reduce<unknown>((node, part) => (node as Record<string, unknown> | undefined)?.[part], tree)

test('what `troupe list` shows as a default is what a run without settings has, and setting it changes nothing', (t) => {
  for (const scenario of methods) {
    const { config } = resolveConfig(scenario, undefined, [])
    const keys = schemaKeys(scenario.config).filter(({ default: value }) => value !== undefined)
    t.true(keys.length > 60, scenario.name)
    const [preset] = Object.values(scenario.presets)
    const groups = new Set<string>()
    for (const { key, default: value } of keys) {
      const path = key.split('.')
      if (at(config, path.slice(0, -1)) === undefined) continue // of a group that is not there unless it is given
      const isPreset = at(preset, path) !== undefined
      if (!isPreset) t.deepEqual(at(config, path), value, `${scenario.name}: ${key}`)
      const group = path.slice(0, -1).join('.')
      if (group !== '' && groups.has(group)) continue
      groups.add(group)
      const set = resolveConfig(scenario, undefined, [`${key}=${JSON.stringify(at(config, path))}`]).config
      t.deepEqual(set, config, `${scenario.name}: ${key}`)
    }
  }
})

test('what makes a method itself', (t) => {
  const own: Readonly<Record<string, readonly [string, string, string, string, string, string]>> = {
    click: ['annotator', 'points', 'preference', 'likelihood', 'click', 'iteration'],
    dpo: ['people', 'points', 'preference', 'best-worst', 'dpo', 'first'],
    ipo: ['people', 'points', 'preference', 'best-worst', 'ipo', 'first'],
    'iterative-dpo': ['reward-model', 'points', 'preference', 'best-worst', 'dpo', 'iteration'],
    'nash-md': ['annotator', 'pairs', 'nash-md', 'all', 'dpo', 'first'],
    oaif: ['annotator', 'pairs', 'preference', 'compared', 'dpo', 'first'],
    'rejection-sampling': ['reward-model', 'points', 'nll', 'best', 'dpo', 'iteration'],
    rest: ['reward-model', 'points', 'nll', 'all', 'dpo', 'iteration'],
    rlaif: ['reward-model', 'points', 'reinforce', 'all', 'dpo', 'first'],
    rlhf: ['reward-model', 'points', 'ppo', 'all', 'dpo', 'first'],
    rrhf: ['reward-model', 'points', 'rank', 'all', 'dpo', 'iteration'],
    rso: ['reward-model', 'rejection', 'preference', 'compared', 'sigmoid-norm', 'first'],
    'slic-hf': ['reward-model', 'tournament', 'preference', 'compared', 'slic', 'first'],
    spin: ['none', 'points', 'preference', 'listed', 'dpo', 'iteration'],
    xpo: ['annotator', 'pairs', 'preference', 'compared', 'xpo', 'first'],
  }
  for (const scenario of methods) {
    const c = scenario.config.parse({}) as MethodConfig
    const { objective, selection, reference } = c.training
    t.deepEqual(
      [c.rater, c.label.by, objective, selection.rule, c.loss.name, reference],
      own[scenario.name],
      scenario.name,
    )
  }
})

test('parameters of the method’s own loss hold for that loss alone', (t) => {
  const config = scenarios['slic-hf']!.config.parse({}) as MethodConfig
  const lossOf = (loss: MethodConfig['loss'], own: Record<string, unknown>) =>
    arrangementOf({ ...config, loss }, own).training[0]!.loss as PreferenceLossChoice
  const slic = { name: 'slic', delta: 3 }
  t.deepEqual(lossOf({ name: 'slic' }, slic), slic)
  t.deepEqual(lossOf({ name: 'slic', delta: 2 } as never, slic), { name: 'slic', delta: 2 } as never)
  t.deepEqual(lossOf({ name: 'dpo', beta: undefined } as never, slic), { name: 'dpo' })
  t.notThrows(() => preferenceLoss(lossOf({ name: 'dpo' }, slic)))
  t.throws(() => preferenceLoss(lossOf({ name: 'dpo', delta: 1 } as never, slic)), { code: 'E_CONFIG' })
})
