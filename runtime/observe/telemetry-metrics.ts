import type { Gauge, Histogram, Meter } from '@opentelemetry/api'
import type { RunEvent } from './events.js'

/** Bounds of the histograms' buckets in seconds: turns take from a tenth of a millisecond to minutes. */
const SECONDS = [0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100]
const MAX_METRICS = 500

/** Translates run events into measurements of `meter`. */
export function telemetryMetrics(meter: Meter): (event: RunEvent) => void {
  const duration = (name: string, description: string): Histogram =>
    meter.createHistogram(name, { unit: 's', description, advice: { explicitBucketBoundaries: SECONDS } })
  const queueTime = duration('troupe.turn.queue_time', 'how long an item waited for its turn')
  const workTime = duration('troupe.turn.work_time', 'how long a turn took')
  const depth = meter.createGauge('troupe.queue.depth', {
    unit: '{message}',
    description: 'messages waiting at an input',
  })
  const restarts = meter.createCounter('troupe.actor.restarts', { unit: '{restart}' })
  const failures = meter.createCounter('troupe.actor.failures', { unit: '{failure}' })
  const aside = meter.createCounter('troupe.actor.set_aside', { unit: '{message}' })
  const cpu = meter.createGauge('troupe.actor.cpu_time', { unit: 's', description: 'processor time since the start' })
  const memory = meter.createGauge('troupe.actor.memory', { unit: 'By', description: 'memory of the actor’s isolate' })
  const own = new Map<string, Gauge>()

  /** The gauge of one of the run's own metrics: `staleness/lag_mean` is `troupe.staleness.lag_mean`. */
  function gauge(name: string): Gauge | undefined {
    const known = own.get(name)
    if (known || own.size >= MAX_METRICS) return known
    const made = meter.createGauge(`troupe.${name.replaceAll('/', '.').replace(/[^\w.-]/g, '_')}`)
    own.set(name, made)
    return made
  }

  return (event) => {
    const actor = { 'troupe.actor': event.actor.name, 'troupe.role': event.actor.role }
    switch (event.type) {
      case 'span': {
        const role = { 'troupe.role': event.actor.role }
        queueTime.record(Math.max(0, event.start - event.queuedAt) / 1000, role)
        workTime.record((event.end - event.start) / 1000, role)
        return
      }
      case 'queue':
        return depth.record(event.depth, { ...actor, 'troupe.input': event.input })
      case 'metric':
        return gauge(event.name)?.record(event.value, { ...actor, ...event.attributes })
      case 'usage':
        cpu.record(event.cpuMs / 1000, { ...actor, 'troupe.cpu_of': event.cpuOf })
        memory.record(event.heapUsedBytes, { ...actor, 'troupe.memory': 'heap' })
        memory.record(event.arrayBuffersBytes, { ...actor, 'troupe.memory': 'buffers' })
        memory.record(event.tensorBytes, { ...actor, 'troupe.memory': 'tensors' })
        return
      case 'aside':
        return aside.add(1, actor)
      case 'state':
        if (event.state === 'failed') failures.add(1, actor)
        if (event.state === 'restarting') restarts.add(1, actor)
    }
  }
}
