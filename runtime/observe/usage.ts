import { readFileSync } from 'node:fs'
import { performance } from 'node:perf_hooks'
import { isMainThread } from 'node:worker_threads'
import { tensorBytes } from '../tensor/memory.js'
import type { Clock } from '../time/clock.js'
import type { ActorIdentity, Usage } from './events.js'
import type { Reporter } from './reporter.js'

const EVERY_MS = 1000
const MS_PER_NS = 1e-6
const MS_PER_US = 1e-3

type CpuMeter = Pick<Usage, 'cpuOf'> & { readonly ms: () => number }

/**
 * The most honest measure that this Node and this system have: the thread's own processor time (Node 23.9 and later; else
 * from Linux, which resolves `thread-self` to the thread that reads), the process's for its main thread, else the loop's.
 */
function cpuMeter(): CpuMeter {
  if (isMainThread) return { cpuOf: 'process', ms: () => total(process.cpuUsage()) }
  const { threadCpuUsage } = process as { threadCpuUsage?: () => NodeJS.CpuUsage }
  if (threadCpuUsage) return { cpuOf: 'thread', ms: () => total(threadCpuUsage.call(process)) }
  const scheduled = () => Number(readFileSync('/proc/thread-self/schedstat', 'utf8').split(' ')[0]) * MS_PER_NS
  if (works(scheduled)) return { cpuOf: 'thread', ms: scheduled }
  return { cpuOf: 'loop', ms: () => performance.eventLoopUtilization().active }
}

const total = ({ user, system }: NodeJS.CpuUsage) => (user + system) * MS_PER_US

/** Systems that do not account for it answer nothing, or 0 for ever. */
function works(read: () => number): boolean {
  try {
    return read() > 0
  } catch {
    return false
  }
}

/** Measures the thread that calls it; each call's event-loop utilization is since the call before. */
export function usageProbe(): () => Usage {
  const cpu = cpuMeter()
  let loop = performance.eventLoopUtilization()
  return () => {
    const now = performance.eventLoopUtilization()
    const { utilization } = performance.eventLoopUtilization(now, loop)
    loop = now
    const { rss, heapUsed, arrayBuffers } = process.memoryUsage()
    return {
      cpuMs: cpu.ms(),
      cpuOf: cpu.cpuOf,
      eventLoopUtilization: utilization,
      rssBytes: rss,
      heapUsedBytes: heapUsed,
      arrayBuffersBytes: arrayBuffers,
      tensorBytes: tensorBytes(),
    }
  }
}

export interface UsageOptions {
  readonly actor: ActorIdentity
  readonly clock: Clock
  readonly reporter: Pick<Reporter, 'emit'>
  /** Tensors of more bytes than this are warned of, once. Default: no bound. */
  readonly tensorBudgetBytes?: number | undefined
  readonly probe?: () => Usage
}

/** Reports once a second what the actor's place uses, until the returned function is called, which reports once more. */
export function reportUsage(options: UsageOptions): () => void {
  const { actor, clock, reporter, tensorBudgetBytes = Number.POSITIVE_INFINITY, probe = usageProbe() } = options
  const stopped = new AbortController()
  let warned = false

  function report(): void {
    const at = clock.now()
    const usage = probe()
    reporter.emit({ type: 'usage', actor, at, ...usage })
    if (warned || usage.tensorBytes <= tensorBudgetBytes) return
    warned = true
    const message = `holds ${usage.tensorBytes} bytes of tensors, more than its budget of ${tensorBudgetBytes}`
    reporter.emit({ type: 'log', actor, at, level: 'warn', message })
  }

  async function everySecond(): Promise<void> {
    for (;;) {
      await clock.sleep(EVERY_MS, stopped.signal)
      report()
    }
  }

  everySecond().catch((error: unknown) => {
    if (!stopped.signal.aborted) throw error
  })
  return () => {
    if (stopped.signal.aborted) return
    stopped.abort()
    report()
  }
}
