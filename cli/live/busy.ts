const BUCKET_MS = 1000
/** Over how many whole seconds the live view averages. */
const BUCKETS = 8

/** How busy an actor was lately, in constant memory. */
export interface BusyMeter {
  add(start: number, end: number): void
  /** Fraction of the last seconds before `now` (or since `since`, if that is later) spent in turns. */
  fraction(now: number, since: number): number
}

/** Keeps busy milliseconds per second of the clock, for the last few seconds. */
export function busyMeter(): BusyMeter {
  const buckets = new Map<number, number>()
  return {
    add(start, end) {
      const first = Math.max(Math.floor(start / BUCKET_MS), Math.floor(end / BUCKET_MS) - BUCKETS)
      for (let bucket = first; bucket * BUCKET_MS < end; bucket++) {
        const from = Math.max(start, bucket * BUCKET_MS)
        const to = Math.min(end, (bucket + 1) * BUCKET_MS)
        buckets.set(bucket, (buckets.get(bucket) ?? 0) + Math.max(0, to - from))
      }
      const oldest = Math.floor(end / BUCKET_MS) - BUCKETS
      for (const bucket of buckets.keys()) if (bucket < oldest) buckets.delete(bucket)
    },
    fraction(now, since) {
      const first = Math.floor(now / BUCKET_MS) - BUCKETS + 1
      let busy = 0
      for (const [bucket, ms] of buckets) if (bucket >= first) busy += ms
      const span = now - Math.max(since, first * BUCKET_MS)
      return span > 0 ? Math.min(1, busy / span) : 0
    },
  }
}
