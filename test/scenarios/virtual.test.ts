import test, { type ExecutionContext } from 'ava'
import type { Faults } from '../../runtime/index.js'
import { figures, records, type Settings, type TinyRun, tinyRun } from './fixtures/tiny-run.js'

/** Samplers of whom one in ten takes eight times as long, and slow links. */
const crooked: Settings = {
  costs: {
    sampler: {
      distribution: 'lognormal',
      meanMs: 50,
      p95Ms: 120,
      straggler: { probability: 0.1, factor: 8 },
    },
    judge: { distribution: 'exponential', meanMs: 30 },
    learner: 20,
  },
  links: { 'sampler->judge': { ms: 20 }, 'judge->learner': { distribution: 'uniform', minMs: 0, maxMs: 15 } },
}
const bounded: Settings = { staleness: { max: 2, publishEvery: 1 }, sampler: { replicas: 2 }, ...crooked }

/** Two runs in two folders. */
async function twice(t: ExecutionContext, settings: Settings, faults?: () => Faults): Promise<TinyRun> {
  const [a, b] = [await tinyRun('virtual', settings, 1, faults?.()), await tinyRun('virtual', settings, 1, faults?.())]
  t.not(a.out, b.out)
  t.is(b.traceHash, a.traceHash)
  t.deepEqual(b.summary, a.summary)
  t.deepEqual(records(b, 'sample'), records(a, 'sample'))
  for (const [name, bytes] of Object.entries(a.weights)) t.true(bytes.equals(b.weights[name]!), `weights of ${name}`)
  return a
}

const versions = (run: TinyRun) =>
  (records(run, 'sample') as { lag: number; version: { start: number } }[]).map(({ lag, version }) => [
    lag,
    version.start,
  ])

test.serial('the same configuration is the same run, event by event: synchronous', async (t) => {
  const run = await twice(t, { ...crooked, staleness: { max: 0 } })
  t.is(run.summary.staleness.lag.max, 0)
})

test.serial('the same configuration is the same run, event by event: bounded, stragglers, slow links', async (t) => {
  const run = await twice(t, bounded)
  t.is(run.summary.staleness.lag.max, 2, 'the bound is reached')
  t.true(new Set(versions(run).map(([, version]) => version)).size > 4, 'many versions wrote')
  const other = await tinyRun('virtual', bounded, 2)
  t.not(other.traceHash, run.traceHash)
})

test.serial('the same configuration is the same run, event by event: an iteration from its first model', async (t) => {
  const run = await twice(t, crooked)
  t.is(run.summary.staleness.lag.max, 3)
})

/** Each of these turns fails once: its actor dies before it, in it, or when its result is out. */
function deaths(): Faults {
  const due = new Map([
    ['sampler/1 2', 'during'],
    ['judge 3', 'before'],
    ['learner 8', 'after'],
    ['learner 6', 'during'],
    ['prompt-generator 5', 'during'],
  ] as const)
  return {
    turn({ actor, index }) {
      const key = `${actor} ${index}` as Parameters<typeof due.get>[0]
      const fault = due.get(key)
      due.delete(key)
      return fault
    },
  }
}

test.serial('the same configuration is the same run where actors die and are started again', async (t) => {
  const run = await twice(t, bounded, deaths)
  t.deepEqual(run.summary.failures.map(({ actor, restarts }) => [actor, restarts]).sort(), [
    ['judge', 1],
    ['learner', 2],
    ['prompt-generator', 1],
    ['sampler/1', 1],
  ])
  t.true(run.summary.staleness.lag.max <= 2)
})

test.serial('a synchronous run in which actors die is, to the bit, one in which none does', async (t) => {
  const settings: Settings = { staleness: { max: 0 }, sampler: { replicas: 2 }, ...crooked }
  const [whole, broken] = [await tinyRun('virtual', settings), await tinyRun('virtual', settings, 1, deaths())]
  t.is(broken.summary.failures.length, 4)
  t.deepEqual({ ...figures(broken.summary), failures: [] }, figures(whole.summary))
  t.deepEqual(records(broken, 'sample'), records(whole, 'sample'))
  for (const [name, bytes] of Object.entries(whole.weights)) t.true(bytes.equals(broken.weights[name]!), name)
})

test.serial('costs decide how stale samples are, and the bound holds whatever they are', async (t) => {
  const lags = async (costs: NonNullable<Settings['costs']>) => {
    const run = await tinyRun('virtual', { ...bounded, links: {}, costs })
    t.true(versions(run).every(([lag]) => lag! >= 0 && lag! <= 2))
    t.is(run.summary.samples.issued, 64)
    return run.summary.staleness.lag
  }
  const swift = await lags({ '*': 1, learner: 1, 'learner:train': 500 })
  const sluggish = await lags({ '*': 1, sampler: 500 })
  t.true(swift.mean > sluggish.mean, `${swift.mean} where the learner is slow, ${sluggish.mean} where sampling is`)
  t.true(sluggish.mean > 0, 'also two slow samplers are ahead of one learner')
})

test.serial('a sample waits from the end of the turn that wrote it', async (t) => {
  const run = await tinyRun('virtual', {
    ...{ staleness: { max: 0 }, batch: 8, costs: { '*': 1, sampler: 1000, judge: 10 } },
    links: { 'sampler->judge': 20, 'judge->learner': 5 },
  })
  const waits = run.events.flatMap((event) =>
    event.type === 'metric' && event.name === 'sample/time_in_queue_s' ? [event.value] : [],
  )
  t.is(waits.length, 8)
  for (const seconds of waits) t.true(Math.abs(seconds - (0.02 + 0.01 + 0.005)) < 1e-9, `${seconds} s`)
})
