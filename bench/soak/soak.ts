import { createTroupe, type Placement, type RunEvent, realClock, seededRandom } from '../../runtime/index.js'
import { missing } from './ledger.js'
import { collector, worker, writer } from './roles.js'
import { leaks, type Slopes, slopesOf, type Usage, usageNow } from './usage.js'

export interface SoakOptions {
  readonly minutes: number
  /** Seconds between two kills. */
  readonly every: number
  readonly seed: number
  /** Where the actors live whose places are ended. */
  readonly placement: Placement
  readonly log: (line: string) => void
}

export interface SoakReport extends Omit<SoakOptions, 'log'> {
  readonly kills: number
  readonly restarts: number
  /** Failures by their code. */
  readonly failures: Readonly<Record<string, number>>
  readonly issued: number
  readonly seen: number
  readonly missing: number
  readonly doubled: number
  readonly wrong: number
  readonly setAside: number
  readonly slopes: Slopes
  /** Judged from half an hour on. */
  readonly leaks: readonly string[]
  readonly first: Usage | undefined
  readonly last: Usage | undefined
  readonly isSound: boolean
}

const WRITERS = 2
const WORKERS = 3
const PAUSE_MS = 20
const CREDITS = 16
const SAMPLE_MS = 5_000
const LOG_MS = 60_000
const END_MS = 120_000
/** Memory that threads leave behind finds its size in the first hundreds of restarts. */
const WARM_MINUTES = 15
const BLOCKS = 12
/** In less time, a slope says nothing. */
const LEAKS_FROM_MINUTES = 30

/** Writers, workers and a collector at work, while a killer ends one of their places after another. */
export async function soak(options: SoakOptions): Promise<SoakReport> {
  const { minutes, every, seed, placement, log } = options
  const told = new Told()
  const troupe = createTroupe({ stage: 'threads', seed, observe: (event) => told.hear(event) })
  const supervise = { maxRestarts: 1_000_000, backoff: { firstMs: 10, mostMs: 1000 } }
  const common = { placement, supervise }
  const writers = troupe.actor(writer, { config: { pauseMs: PAUSE_MS }, replicas: WRITERS, ...common })
  const workers = troupe.actor(worker, { config: {}, replicas: WORKERS, ...common })
  const all = troupe.actor(collector, { config: {}, ...common })
  troupe.connect(writers.outputs.items, workers.inputs.items, { credits: CREDITS })
  troupe.connect(workers.outputs.done, all.inputs.done, { credits: CREDITS })
  await troupe.start()
  const samples: Usage[] = []
  const stopped = new AbortController()
  const failed = troupe.done.then(() => {
    throw new Error('the troupe has finished before it was told to')
  })
  failed.catch(() => {})
  const killer = async () => {
    const random = seededRandom(seed, 'killer')
    const how = placement === 'process' ? 'kill' : 'exit'
    for (let kills = 0; ; kills++) {
      await pause(every * 1000 * (0.5 + random.stream(kills, 0).float()), stopped.signal)
      if (stopped.signal.aborted) return kills
      const victim = random.stream(kills, 1).int(WRITERS + WORKERS + 1)
      // It dies before it can answer.
      if (victim < WRITERS) await writers.askAll.die(victim, how).catch(() => {})
      else if (victim < WRITERS + WORKERS) await workers.askAll.die(victim - WRITERS, how).catch(() => {})
      else await all.askAll.die(0, how).catch(() => {})
    }
  }
  const watch = async () => {
    for (let next = LOG_MS; !stopped.signal.aborted; await pause(SAMPLE_MS, stopped.signal)) {
      const usage = usageNow(realClock.now())
      samples.push(usage)
      if (usage.atMs - (samples[0]?.atMs ?? 0) < next) continue
      next += LOG_MS
      log(`${told.restarts} restarts, ${usage.rssMb.toFixed(0)} MB, ${usage.handles} handles`)
    }
  }
  try {
    const [killing, watching] = [killer(), watch()]
    await Promise.race([pause(minutes * 60_000), failed])
    stopped.abort()
    const [kills] = await Promise.all([killing, watching])
    // Before it ends, everybody must be there again: what has died does not know that it was told.
    log(`${kills} kills, ${await writers.askAll.issued()} issued; now to the end`)
    await writers.askAll.enough()
    await realClock.deadline(troupe.done, END_MS, 'the end of the soak')
    const issued = await writers.askAll.issued()
    const account = await all.ask.account()
    const slopes = slopesOf(samples, Math.min(WARM_MINUTES, minutes / 2) * 60_000, BLOCKS)
    const found = {
      issued: issued.reduce((sum, count) => sum + count, 0),
      seen: account.seen,
      missing: missing(account, issued),
      doubled: account.doubled,
      wrong: account.wrong,
      leaks: minutes < LEAKS_FROM_MINUTES ? [] : leaks(slopes),
    }
    const isSound = found.missing + found.doubled + found.wrong === 0 && found.leaks.length === 0 && found.issued > 0
    const { restarts, failures, setAside } = told
    const [first, last] = [samples[0], samples.at(-1)]
    return {
      minutes,
      every,
      seed,
      placement,
      kills,
      restarts,
      failures,
      ...found,
      setAside,
      slopes,
      first,
      last,
      isSound,
    }
  } finally {
    stopped.abort()
    await troupe.stop()
  }
}

/** What the troupe tells of its troubles. */
class Told {
  restarts = 0
  setAside = 0
  readonly failures: Record<string, number> = {}

  hear(event: RunEvent): void {
    if (event.type === 'aside') this.setAside++
    if (event.type !== 'state') return
    if (event.state === 'restarting') this.restarts++
    if (event.state !== 'failed') return
    const code = event.error?.code ?? 'none'
    this.failures[code] = (this.failures[code] ?? 0) + 1
  }
}

/** Also ends when the signal is given. */
function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return realClock.sleep(ms, signal).catch(() => {})
}
