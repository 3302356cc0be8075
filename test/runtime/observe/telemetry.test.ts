import { metrics, SpanStatusCode, trace } from '@opentelemetry/api'
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import test from 'ava'
import { TroupeError } from '../../../runtime/kernel/errors.js'
import type { ActorIdentity, RunEvent } from '../../../runtime/observe/events.js'
import { openTelemetry } from '../../../runtime/observe/telemetry.js'

const START = 1_700_000_000_000
const run = { scenario: 'toy', seed: 7, stage: 'threads', backend: 'onnx', startedAt: START }
const judge: ActorIdentity = { name: 'judge/1', role: 'judge', replica: 1 }
const usage = {
  cpuMs: 2500,
  cpuOf: 'thread',
  eventLoopUtilization: 0.5,
  rssBytes: 9,
  heapUsedBytes: 11,
  arrayBuffersBytes: 12,
  tensorBytes: 13,
} as const

const events: readonly RunEvent[] = [
  {
    type: 'span',
    actor: judge,
    name: 'judging',
    queuedAt: START + 100,
    start: START + 350.5,
    end: START + 1350.5,
    attributes: { batch: 4 },
  },
  { type: 'queue', actor: judge, at: START + 1351, input: 'candidates', depth: 3, window: 4 },
  {
    type: 'metric',
    actor: judge,
    at: START + 1352,
    name: 'staleness/lag_mean',
    value: 2.5,
    attributes: { iteration: 1 },
  },
  { type: 'usage', actor: judge, at: START + 1353, ...usage },
  { type: 'aside', actor: judge, at: START + 1400, input: 'candidates', error: { name: 'TroupeError', message: 'no' } },
  {
    type: 'state',
    actor: judge,
    at: START + 1500,
    state: 'failed',
    error: { name: 'TroupeError', message: 'broke', code: 'E_ACTOR_FAILED' },
  },
  { type: 'state', actor: judge, at: START + 1600, state: 'restarting' },
]

/** What a real SDK makes of a run's events. */
async function exported(error?: unknown) {
  const [spanExporter, metricExporter] = [
    new InMemorySpanExporter(),
    new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE),
  ]
  const reader = new PeriodicExportingMetricReader({ exporter: metricExporter, exportIntervalMillis: 3_600_000 })
  const meters = new MeterProvider({ readers: [reader] })
  trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spanExporter)] }))
  metrics.setGlobalMeterProvider(meters)
  try {
    const telemetry = openTelemetry(run, '0.0.0')
    for (const event of events) telemetry.observe(event)
    telemetry.end(START + 2000, error)
    telemetry.end(START + 9000)
    await meters.forceFlush()
    const measured = metricExporter.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((s) => s.metrics))
    return { spans: spanExporter.getFinishedSpans(), measured }
  } finally {
    await meters.shutdown()
    trace.disable()
    metrics.disable()
  }
}

test.serial('a turn is a span under the run’s, with who, how long it waited and how long it took', async (t) => {
  const { spans } = await exported()
  const whole = spans.find(({ name }) => name === 'run toy')!
  const turn = spans.find(({ name }) => name === 'judging')!
  t.deepEqual(turn.attributes, {
    'troupe.actor': 'judge/1',
    'troupe.role': 'judge',
    'troupe.replica': 1,
    'troupe.queue_time_ms': 250.5,
    'troupe.work_time_ms': 1000,
    'troupe.turn.batch': 4,
  })
  t.is(turn.parentSpanContext?.spanId, whole.spanContext().spanId)
  t.is(turn.spanContext().traceId, whole.spanContext().traceId)
  t.deepEqual(turn.startTime, [START / 1000, 350_500_000])
  t.deepEqual(turn.duration, [1, 0])
  t.is(whole.parentSpanContext, undefined)
  t.deepEqual(whole.duration, [2, 0], 'ended once')
  t.is(whole.status.code, SpanStatusCode.UNSET)
  t.like(whole.attributes, { 'troupe.scenario': 'toy', 'troupe.seed': 7 })
})

test.serial('failures are spans of status error, and a failed run is one as a whole', async (t) => {
  const { spans } = await exported(new TroupeError('E_ACTOR_FAILED', 'judge/1 failed: broke'))
  const failed = spans.find(({ name }) => name === 'failed')!
  t.deepEqual(failed.status, { code: SpanStatusCode.ERROR, message: 'broke' })
  t.is(failed.attributes['error.type'], 'E_ACTOR_FAILED')
  t.is(spans.find(({ name }) => name === 'message set aside')?.status.code, SpanStatusCode.ERROR)
  t.is(spans.find(({ name }) => name === 'restarting')?.status.code, SpanStatusCode.UNSET)
  const whole = spans.find(({ name }) => name === 'run toy')!
  t.deepEqual(whole.status, { code: SpanStatusCode.ERROR, message: 'judge/1 failed: broke' })
})

test.serial(
  'times of turns are histograms in seconds by role; depths, usage and the run’s metrics are gauges',
  async (t) => {
    const { measured } = await exported()
    const points = (name: string) => measured.find(({ descriptor }) => descriptor.name === name)?.dataPoints ?? []
    const [queue] = points('troupe.turn.queue_time')
    const [work] = points('troupe.turn.work_time')
    t.like(queue, { attributes: { 'troupe.role': 'judge' }, value: { sum: 0.2505, count: 1 } })
    t.like(work, { attributes: { 'troupe.role': 'judge' }, value: { sum: 1, count: 1 } })
    t.like(points('troupe.queue.depth')[0], { value: 3, attributes: { 'troupe.actor': 'judge/1' } })
    t.like(points('troupe.staleness.lag_mean')[0], { value: 2.5, attributes: { 'troupe.role': 'judge', iteration: 1 } })
    t.like(points('troupe.actor.cpu_time')[0], { value: 2.5, attributes: { 'troupe.cpu_of': 'thread' } })
    t.deepEqual(
      points('troupe.actor.memory').map(({ attributes, value }) => [attributes['troupe.memory'], value]),
      [
        ['heap', 11],
        ['buffers', 12],
        ['tensors', 13],
      ],
    )
    for (const name of ['failures', 'restarts', 'set_aside']) t.is(points(`troupe.actor.${name}`)[0]?.value, 1, name)
  },
)

test.serial('without an SDK events are not looked at', (t) => {
  const telemetry = openTelemetry(run, '0.0.0')
  const untouchable = new Proxy({} as RunEvent, {
    get: () => t.fail('an event was looked at'),
  })
  telemetry.observe(untouchable)
  t.notThrows(() => telemetry.end(START, new Error('whatever')))
})
