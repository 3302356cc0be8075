import {
  type Attributes,
  createNoopMeter,
  type HrTime,
  isSpanContextValid,
  type Meter,
  metrics,
  ROOT_CONTEXT,
  type Span,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api'
import { toWire, type WireError } from '../kernel/errors.js'
import type { ActorIdentity, RunEvent } from './events.js'
import { beginningOf } from './run-time.js'
import type { RunIdentity } from './status.js'
import { telemetryMetrics } from './telemetry-metrics.js'

/** A run as OpenTelemetry sees it. */
export interface Telemetry {
  observe(event: RunEvent): void
  /** Ends the run's span: with an error where the run failed. Ending twice is harmless. */
  end(at: number, error?: unknown): void
}

const NAME = 'troupe'

/**
 * Speaks to whatever OpenTelemetry SDK the process has registered: a span for the run, under it one for each turn, and
 * the run's metrics. Where none is registered when the run begins, events are not looked at. Virtual times count from when
 * the run began.
 */
export function openTelemetry(run: RunIdentity, version: string): Telemetry {
  const spans = openSpans(run, version)
  const meter = metrics.getMeter(NAME, version)
  const measures = isNoop(meter) ? undefined : telemetryMetrics(meter)
  return {
    observe(event) {
      spans?.observe(event)
      measures?.(event)
    },
    end: (at, error) => spans?.end(at, error),
  }
}

const isNoop = (meter: Meter) => meter === createNoopMeter()

function openSpans(run: RunIdentity, version: string): Telemetry | undefined {
  const { scenario, seed, stage, backend, startedAt } = run
  /** The machine's time of an event's time. */
  const late = startedAt - beginningOf(run)
  const tracer = trace.getTracer(NAME, version)
  const span = tracer.startSpan(`run ${scenario}`, {
    startTime: hrTime(startedAt),
    root: true,
    attributes: {
      'troupe.scenario': scenario,
      'troupe.seed': seed,
      'troupe.stage': stage,
      'troupe.backend': backend,
    },
  })
  if (!isSpanContextValid(span.spanContext())) return undefined
  const parent = trace.setSpan(ROOT_CONTEXT, span)
  let open = true

  /** A span of an actor; ended by the caller. */
  const child = (name: string, actor: ActorIdentity, at: number, more: Attributes): Span =>
    tracer.startSpan(name, { startTime: hrTime(at + late), attributes: { ...attributesOf(actor), ...more } }, parent)

  function failure(name: string, actor: ActorIdentity, at: number, error: WireError | undefined, code?: string): void {
    const failed = child(name, actor, at, { 'error.type': code ?? error?.code ?? error?.name ?? 'unknown' })
    failed.setStatus({ code: SpanStatusCode.ERROR, message: error?.message ?? 'without a reason' })
    failed.end(hrTime(at + late))
  }

  return {
    observe(event) {
      if (event.type === 'span') {
        const { name, actor, queuedAt, start, end, attributes = {} } = event
        const own = Object.entries(attributes).map(([key, value]) => [`troupe.turn.${key}`, value] as const)
        child(name, actor, start, {
          'troupe.queue_time_ms': Math.max(0, start - queuedAt),
          'troupe.work_time_ms': end - start,
          ...Object.fromEntries(own),
        }).end(hrTime(end + late))
      } else if (event.type === 'state' && event.state === 'failed')
        failure('failed', event.actor, event.at, event.error, event.code)
      else if (event.type === 'state' && event.state === 'restarting')
        child('restarting', event.actor, event.at, {}).end(hrTime(event.at + late))
      else if (event.type === 'aside') failure('message set aside', event.actor, event.at, event.error)
    },
    end(at, error) {
      if (!open) return
      open = false
      if (error !== undefined) {
        const { name, code, message } = toWire(error)
        span.setAttribute('error.type', code ?? name)
        span.setStatus({ code: SpanStatusCode.ERROR, message })
      }
      span.end(hrTime(at))
    },
  }
}

/** Seconds and nanoseconds: a plain number of milliseconds would be read as time since the process began where it is small. */
function hrTime(ms: number): HrTime {
  const seconds = Math.floor(ms / 1000)
  return [seconds, Math.round((ms - seconds * 1000) * 1e6)]
}

function attributesOf({ name, role, replica }: ActorIdentity): Attributes {
  return { 'troupe.actor': name, 'troupe.role': role, 'troupe.replica': replica }
}
