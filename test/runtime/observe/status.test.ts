import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { enter, runBook } from '../../../runtime/observe/book.js'
import type { ActorIdentity, RunEvent, Usage } from '../../../runtime/observe/events.js'
import { openRunFolder } from '../../../runtime/observe/run-folder.js'
import { type RunStatus, statusOf } from '../../../runtime/observe/status.js'
import { turnMeter } from '../../../runtime/observe/turn-meter.js'
import { realClock } from '../../../runtime/time/clock.js'
import { scratch } from '../../cli/fixtures/scratch.js'

const START = 1_000_000
const sampler = (replica: number): ActorIdentity => ({ name: `sampler/${replica}`, role: 'sampler', replica })
const run = { scenario: 'toy', seed: 1, stage: 'threads', backend: 'onnx', startedAt: START }
const usage: Usage = {
  cpuMs: 100,
  cpuOf: 'thread',
  eventLoopUtilization: 0.5,
  rssBytes: 1,
  heapUsedBytes: 2,
  arrayBuffersBytes: 3,
  tensorBytes: 4,
}

function statusAfter(events: readonly RunEvent[], at: number): RunStatus {
  const book = runBook()
  for (const event of events) enter(book, event)
  return statusOf(book, run, { at, process: usage })
}

test('turns of the last eight seconds count: a turn under way before them in part, older ones not', (t) => {
  const meter = turnMeter()
  const now = START + 20_000
  meter.add({ queuedAt: START, start: START, end: START + 1000 }) // long ago
  meter.add({ queuedAt: now - 9000, start: now - 8500, end: now - 6500 })
  meter.add({ queuedAt: now - 3000, start: now - 2000, end: now - 1000 })
  const recent = meter.recent(now, START)
  t.deepEqual(recent, { busy: 1.5 / 7 + 0, turnsPerSecond: 2 / 7, queuedMs: 750, workMs: 1500 })
  t.deepEqual(meter.recent(now + 60_000, START), { busy: 0, turnsPerSecond: 0, queuedMs: 0, workMs: 0 })
})

test('an actor’s failures, restarts and messages set aside are counted, with the last code', (t) => {
  const actor = sampler(0)
  const error = { name: 'TroupeError', message: 'gone', code: 'E_ACTOR_FAILED' } as const
  const { actors } = statusAfter(
    [
      { type: 'state', actor, at: START, state: 'ready' },
      { type: 'state', actor, at: START + 1, state: 'failed', error: { name: 'RangeError', message: 'too far' } },
      { type: 'state', actor, at: START + 2, state: 'restarting' },
      { type: 'state', actor, at: START + 3, state: 'failed', error },
      { type: 'state', actor, at: START + 4, state: 'restarting', restarts: 2 },
      { type: 'aside', actor, at: START + 5, input: 'prompts', error: { name: 'Error', message: 'poison' } },
      { type: 'state', actor, at: START + 6, state: 'ready' },
    ],
    START + 10,
  )
  t.like(actors[0], { state: 'ready', failures: 2, restarts: 2, setAside: 1, code: 'E_ACTOR_FAILED' })
  t.deepEqual(actors[0]?.lastLog, { at: START + 5, text: 'set aside: poison' })
})

test('processor time is a share of the time between reports, and that of a place made anew begins again', (t) => {
  const actor = sampler(0)
  const at = (seconds: number, cpuMs: number): RunEvent => ({
    type: 'usage',
    actor,
    at: START + 1000 * seconds,
    ...usage,
    cpuMs,
  })
  const cpu = (events: readonly RunEvent[]) => statusAfter(events, START).actors[0]?.cpu
  t.is(cpu([at(1, 100)]), undefined)
  t.is(cpu([at(1, 100), at(3, 600)]), 0.25)
  t.is(cpu([at(1, 100), at(3, 600), at(3.01, 600)]), 0.25, 'two reports in a moment say nothing')
  t.is(cpu([at(1, 5000), at(2, 10)]), 0)
})

test('counts that each replica keeps are summed, others told as they were last, on average and at most', (t) => {
  const metric = (replica: number, value: number): RunEvent => ({
    type: 'metric',
    actor: sampler(replica),
    at: START,
    name: 'samples/issued',
    value,
  })
  const { metrics } = statusAfter([metric(0, 10), metric(1, 4), metric(0, 16)], START)
  t.deepEqual(metrics['samples/issued'], { latest: 16, mean: 10, max: 16, sum: 20 })
})

test('a run folder has a whole status from its first moment, about every second after, and of its end', (t) => {
  const path = join(scratch(), 'run')
  const read = (): RunStatus => JSON.parse(readFileSync(join(path, 'status.json'), 'utf8'))
  const folder = openRunFolder(path, { ...run, preset: 'quick', config: {} })
  t.like(read(), { scenario: 'toy', preset: 'quick', at: START, pid: process.pid, actors: [] })
  const state = (at: number): RunEvent => ({ type: 'state', actor: sampler(0), at, state: 'ready' })
  folder.observe(state(START + 999))
  t.is(read().at, START)
  folder.observe(state(START + 1000))
  t.like(read(), { at: START + 1000, actors: [{ name: 'sampler/0', state: 'ready' }] })
  t.false('ended' in read())
  folder.fail(new RangeError('too far'), START + 1500)
  t.deepEqual(read().ended, { how: 'failed', code: 'E_FAILED', message: 'too far' })
  t.is(read().at, START + 1500)
})

test('the status of a virtual run is dated by the machine, and its turns by their own time', (t) => {
  const folder = openRunFolder(scratch(), { ...run, stage: 'virtual', startedAt: realClock.now(), config: {} })
  const actor = sampler(0)
  folder.observe({ type: 'span', actor, name: 'sample', queuedAt: 0, start: 1000, end: 5000 })
  folder.observe({ type: 'log', actor, at: 9000, level: 'info', message: 'hello' })
  folder.finish({})
  const status = JSON.parse(readFileSync(join(folder.path, 'status.json'), 'utf8')) as RunStatus
  t.true(status.at >= status.startedAt && status.at < status.startedAt + 60_000)
  t.is(status.virtualMs, 9000)
  t.is(status.actors[0]?.busy, 3000 / 7000, 'of the last eight seconds, the one that has just begun included')
  t.deepEqual(status.actors[0]?.lastLog, { at: 9000, text: 'hello' })
})
