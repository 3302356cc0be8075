import { readdirSync } from 'node:fs'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { type Point, type Slope, slopeOf } from './slope.js'

/** What this process holds at one moment; threads are part of it, process hosts are not. */
export interface Usage {
  readonly atMs: number
  readonly rssMb: number
  readonly heapMb: number
  /** Ports, timers, pipes, workers, children: what keeps, or could keep, the event loop alive. */
  readonly handles: number
  /** Open files, pipes and sockets; null where there is no /proc. */
  readonly files: number | null
}

const MB = 2 ** 20

/** Before each look: garbage that waits for its collector is no leak. */
const collectGarbage = exposedCollector()

export function usageNow(atMs: number): Usage {
  collectGarbage()
  const { rss, heapUsed } = process.memoryUsage()
  return {
    atMs,
    rssMb: rss / MB,
    heapMb: heapUsed / MB,
    handles: process.getActiveResourcesInfo().length,
    files: files(),
  }
}

function exposedCollector(): () => void {
  setFlagsFromString('--expose-gc')
  return runInNewContext('gc') as () => void
}

function files(): number | null {
  try {
    return readdirSync('/proc/self/fd').length
  } catch {
    return null
  }
}

const MEASURES = ['rssMb', 'heapMb', 'handles', 'files'] as const
export type Slopes = { readonly [K in (typeof MEASURES)[number]]: Slope | undefined }

/**
 * A host that is just being started holds files and handles of its own, for longer on a busy machine: what leaked is there at every
 * moment, so the fewest count.
 */
const OF = { rssMb: 'mean', heapMb: 'mean', handles: 'least', files: 'least' } as const

/** Slopes over everything after the warm-up, in which heaps and pools find their size. */
export function slopesOf(samples: readonly Usage[], warmMs: number, blocks: number): Slopes {
  const from = (samples[0]?.atMs ?? 0) + warmMs
  const later = samples.filter(({ atMs }) => atMs >= from)
  const slope = (measure: (typeof MEASURES)[number]) => {
    const points = later.flatMap((sample): Point[] => {
      const value = sample[measure]
      return value === null ? [] : [{ atMs: sample.atMs, value }]
    })
    return slopeOf(points, blocks, OF[measure])
  }
  return { rssMb: slope('rssMb'), heapMb: slope('heapMb'), handles: slope('handles'), files: slope('files') }
}

/** Growth in an hour that is still taken for none: what the interval must lie above to be called a leak. */
const ALLOWED_PER_HOUR = { rssMb: 8, heapMb: 4, handles: 2, files: 2 }

/** A sentence for each measure that grows for sure. */
export function leaks(slopes: Slopes): string[] {
  return MEASURES.flatMap((measure) => {
    const slope = slopes[measure]
    if (!slope || slope.lowerPerHour <= ALLOWED_PER_HOUR[measure]) return []
    const [low, high] = [slope.lowerPerHour.toFixed(1), slope.upperPerHour.toFixed(1)]
    return [`${measure} grows by ${slope.perHour.toFixed(1)} an hour (95 % between ${low} and ${high})`]
  })
}
