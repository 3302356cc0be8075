import test from 'ava'
import type { ActorIdentity, RunEvent } from '../../../runtime/observe/events.js'
import { type TraceEvent, traceTranslator } from '../../../runtime/observe/trace.js'
import { overlap } from '../../../runtime/observe/trace-overlap.js'

const judge: ActorIdentity = { name: 'judge', role: 'judge', replica: 0 }
const sampler: ActorIdentity = { name: 'sampler/1', role: 'sampler', replica: 1 }

test('a turn is a complete event on its actor’s track, in microseconds since the run began', (t) => {
  const trace = traceTranslator('troupe toy', 1000)
  const events = trace.translate({
    type: 'span',
    actor: judge,
    name: 'judge',
    queuedAt: 1002,
    start: 1003.5,
    end: 1010,
    attributes: { batch: 4 },
  })
  t.deepEqual(events, [
    { ph: 'M', name: 'process_name', pid: 1, tid: 0, ts: 0, args: { name: 'troupe toy', startedAt: 1000 } },
    { ph: 'M', name: 'thread_name', pid: 1, tid: 1, ts: 0, args: { name: 'judge' } },
    {
      ph: 'X',
      name: 'judge',
      pid: 1,
      tid: 1,
      ts: 3500,
      dur: 6500,
      cat: 'judge',
      args: { batch: 4, queuedMs: 1.5, workMs: 6.5 },
    },
  ])
})

test('queues and metrics are counters; a value that is no number is left out', (t) => {
  const trace = traceTranslator('troupe toy', 0)
  const [, , depth] = trace.translate({ type: 'queue', actor: judge, at: 2, input: 'groups', depth: 3, window: 4 })
  t.like(depth, { ph: 'C', name: 'judge queue: groups', ts: 2000, args: { value: 3 } })
  const metric = { type: 'metric', actor: judge, at: 3, name: 'learner/version' } as const
  t.like(trace.translate({ ...metric, value: 7 })[0], { ph: 'C', name: 'learner/version', args: { value: 7 } })
  t.deepEqual(trace.translate({ ...metric, value: Number.NaN }), [])
})

test('what an actor uses is counters: processor time as a share of the time between two reports, memory in MiB', (t) => {
  const trace = traceTranslator('troupe toy', 0)
  const usage = (at: number, cpuMs: number): RunEvent => ({
    type: 'usage',
    actor: judge,
    at,
    cpuMs,
    cpuOf: 'thread',
    eventLoopUtilization: 0,
    rssBytes: 0,
    heapUsedBytes: 3 * 2 ** 20,
    arrayBuffersBytes: 2 ** 19,
    tensorBytes: 0,
  })
  const told = (event: RunEvent) =>
    trace.translate(event).flatMap(({ ph, name, args }) => (ph === 'C' ? [[name, args.value]] : []))
  const memory = [
    ['judge heap MiB', 3],
    ['judge buffers MiB', 0.5],
    ['judge tensors MiB', 0],
  ]
  t.deepEqual(told(usage(1000, 100)), memory)
  t.deepEqual(told(usage(2000, 350)), [['judge cpu', 0.25], ...memory])
  t.deepEqual(told(usage(3000, 10)), [['judge cpu', 0], ...memory], 'started anew')
})

test('failures, restarts and messages set aside are moments on the actor’s track', (t) => {
  const trace = traceTranslator('troupe toy', 0)
  trace.translate({ type: 'state', actor: judge, at: 0, state: 'ready' })
  const error = { name: 'TroupeError', message: 'gone', code: 'E_ACTOR_FAILED' } as const
  const moment = { ph: 'i', pid: 1, tid: 1, s: 't', cat: 'judge' } as const
  t.deepEqual(
    (
      [
        { type: 'state', actor: judge, at: 1, state: 'failed', error },
        { type: 'state', actor: judge, at: 2, state: 'restarting', restarts: 1 },
        { type: 'aside', actor: judge, at: 3, input: 'groups', error },
      ] as const
    ).flatMap((event) => trace.translate(event)),
    [
      { ...moment, name: 'failed', ts: 1000, args: { code: 'E_ACTOR_FAILED', message: 'gone' } },
      { ...moment, name: 'restarting', ts: 2000, args: {} },
      { ...moment, name: 'message set aside', ts: 3000, args: { code: 'E_ACTOR_FAILED', message: 'gone' } },
    ],
  )
})

test('tracks are placed by name, whoever spoke first', (t) => {
  const trace = traceTranslator('troupe toy', 0)
  for (const actor of [sampler, judge]) trace.translate({ type: 'state', actor, at: 0, state: 'ready' })
  t.deepEqual(
    trace.finish().map(({ tid, args }) => [tid, args.sort_index]),
    [
      [2, 0],
      [1, 1],
    ],
  )
})

const turn = (cat: string, ts: number, dur: number, tid = 1): TraceEvent => ({
  ph: 'X',
  name: cat,
  cat,
  pid: 1,
  tid,
  ts,
  dur,
  args: {},
})

test('overlap counts roles, not replicas, and turns that only touch do not overlap', (t) => {
  const found = overlap([
    turn('sampler', 0, 4000, 1),
    turn('sampler', 1000, 4000, 2),
    turn('judge', 2000, 2000),
    turn('learner', 4000, 4000),
    turn('judge', 9000, 1000),
  ])
  t.is(found.most, 2)
  t.deepEqual(found.roles, ['sampler', 'judge'])
  t.is(found.spanMs, 10)
  t.deepEqual(found.atLeast, { one: 0.9, two: 0.3, three: 0 })
})

test('overlap finds three roles at once, and an empty trace has none', (t) => {
  const found = overlap([turn('a', 0, 10), turn('b', 4, 10), turn('c', 8, 10)])
  t.is(found.most, 3)
  t.is(found.atLeast.three, 2 / 18)
  t.deepEqual(overlap([turn('a', 0, 0)]), { most: 0, roles: [], spanMs: 0, atLeast: { one: 0, two: 0, three: 0 } })
})
