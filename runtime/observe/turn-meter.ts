const BUCKET_MS = 1000
/** Over how many whole seconds the figures are. */
const BUCKETS = 8

export interface RecentTurns {
  /** Fraction of the time spent in turns. */
  readonly busy: number
  readonly turnsPerSecond: number
  /** Means over the turns that ended; 0 of none. */
  readonly queuedMs: number
  readonly workMs: number
}

/** What an actor's turns were like lately, in constant memory. */
export interface TurnMeter {
  add(turn: { readonly queuedAt: number; readonly start: number; readonly end: number }): void
  /** Over the last seconds before `now` (or since `since`, if that is later). */
  recent(now: number, since: number): RecentTurns
}

interface Bucket {
  busyMs: number
  turns: number
  queuedMs: number
  workMs: number
}

/** Keeps, per second of the clock, busy time and the turns that ended in it, for the last few seconds. */
export function turnMeter(): TurnMeter {
  const buckets = new Map<number, Bucket>()
  function bucketAt(second: number): Bucket {
    const bucket = buckets.get(second) ?? { busyMs: 0, turns: 0, queuedMs: 0, workMs: 0 }
    buckets.set(second, bucket)
    return bucket
  }
  return {
    add({ queuedAt, start, end }) {
      const last = Math.floor(end / BUCKET_MS)
      for (let second = Math.max(Math.floor(start / BUCKET_MS), last - BUCKETS); second * BUCKET_MS < end; second++) {
        const from = Math.max(start, second * BUCKET_MS)
        bucketAt(second).busyMs += Math.max(0, Math.min(end, (second + 1) * BUCKET_MS) - from)
      }
      const ended = bucketAt(last)
      ended.turns++
      ended.queuedMs += Math.max(0, start - queuedAt)
      ended.workMs += end - start
      for (const second of buckets.keys()) if (second < last - BUCKETS) buckets.delete(second)
    },
    recent(now, since) {
      const first = Math.floor(now / BUCKET_MS) - BUCKETS + 1
      const kept = [...buckets].flatMap(([second, bucket]) => (second >= first ? [bucket] : []))
      const sum = (key: keyof Bucket) => kept.reduce((total, bucket) => total + bucket[key], 0)
      const span = now - Math.max(since, first * BUCKET_MS)
      const turns = sum('turns')
      return {
        busy: span > 0 ? Math.min(1, sum('busyMs') / span) : 0,
        turnsPerSecond: span > 0 ? turns / (span / 1000) : 0,
        queuedMs: turns > 0 ? sum('queuedMs') / turns : 0,
        workMs: turns > 0 ? sum('workMs') / turns : 0,
      }
    },
  }
}
