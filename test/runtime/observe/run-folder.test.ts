import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { TroupeError } from '../../../runtime/kernel/errors.js'
import type { ActorIdentity, RunEvent } from '../../../runtime/observe/events.js'
import { openRunFolder } from '../../../runtime/observe/run-folder.js'
import { scratch } from '../../cli/fixtures/scratch.js'

const actor: ActorIdentity = { name: 'learner', role: 'learner', replica: 0 }

function open() {
  const path = join(scratch(), 'run')
  const folder = openRunFolder(path, {
    scenario: 'toy',
    seed: 1,
    stage: 'inline',
    backend: 'cpu',
    config: {},
    startedAt: 0,
  })
  const read = (name: string) => readFileSync(join(path, name), 'utf8')
  const lines = (name: string) =>
    read(name)
      .trim()
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line))
  return { path, folder, read, lines }
}

const metric = (at: number): RunEvent => ({
  type: 'metric',
  actor,
  at,
  name: 'loss',
  value: at,
  attributes: { iteration: 1 },
})
const record = (kind: string, value: unknown): RunEvent => ({ type: 'record', actor, at: 5, kind, value })

test('each event is kept in its file, samples as they are', (t) => {
  const { folder, lines, path } = open()
  folder.observe(metric(1))
  folder.observe(record('sample', { prompt: 'a', tokens: Int32Array.of(1, 2) }))
  folder.observe(record('evaluation', { score: 1 }))
  folder.observe({ type: 'log', actor, at: 2, level: 'warn', message: 'odd' })
  folder.observe({ type: 'state', actor, at: 3, state: 'failed', error: { name: 'Error', message: 'broke' } })
  folder.finish({ done: true })
  t.deepEqual(lines('metrics.jsonl'), [
    { at: 1, actor: 'learner', name: 'loss', value: 1, attributes: { iteration: 1 } },
  ])
  t.deepEqual(lines('samples.jsonl'), [{ prompt: 'a', tokens: [1, 2] }])
  t.deepEqual(lines('evaluation.jsonl'), [{ at: 5, actor: 'learner', value: { score: 1 } }])
  t.deepEqual(
    lines('log.jsonl').map((line) => [line.level, line.message]),
    [
      ['warn', 'odd'],
      ['error', 'broke'],
    ],
  )
  t.false(readdirSync(path).includes('error.json'))
})

test('a record’s kind can neither leave the folder nor stand in for another file', (t) => {
  const { folder, path } = open()
  for (const kind of ['../../escape', 'metrics', 'a/b', '', '..']) folder.observe(record(kind, 1))
  folder.finish({})
  t.deepEqual(
    readdirSync(path)
      .filter((name) => name.endsWith('.jsonl'))
      .sort(),
    [
      '-escape.jsonl',
      'a-b.jsonl',
      'metrics.jsonl',
      'record--.jsonl',
      'record-.jsonl',
      'record-metrics.jsonl',
      'samples.jsonl',
    ],
  )
})

test('the trace is whole JSON after any number of events, none included', (t) => {
  for (const count of [0, 1, 5000]) {
    const { folder, read } = open()
    for (let i = 0; i < count; i++) folder.observe(metric(i))
    folder.finish({})
    const trace = JSON.parse(read('trace.json'))
    t.is(trace.filter((event: { ph: string }) => event.ph === 'C').length, count)
  }
})

test('whole lines are on the disk while the run goes on, at most a second late', (t) => {
  const { folder, lines } = open()
  for (let at = 0; at <= 2000; at += 100) folder.observe(metric(at))
  t.true(lines('metrics.jsonl').length >= 20)
  folder.finish({})
})

test('a failure is written with its code, once, and later events are dropped', (t) => {
  const { folder, read, lines, path } = open()
  folder.fail(new TroupeError('E_STOPPED', 'stopped', { hint: 'why not' }), 9)
  folder.observe(metric(1))
  folder.fail(new Error('later'), 10)
  folder.finish({})
  t.like(JSON.parse(read('error.json')), { code: 'E_STOPPED', message: 'stopped', hint: 'why not', at: 9 })
  t.deepEqual(lines('metrics.jsonl'), [])
  t.false(readdirSync(path).includes('summary.json'))
})
