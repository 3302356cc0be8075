import test, { type ExecutionContext } from 'ava'
import { METRICS } from '../../actors/metric-table.js'
import { figures, records, type TinyRun, tinyRun } from './fixtures/tiny-run.js'

/** Two runs that must be the same to the bit; what each wrote down is compared in the learner's order. */
function same(t: ExecutionContext, a: TinyRun, b: TinyRun): void {
  t.deepEqual(figures(b.summary), figures(a.summary))
  t.deepEqual(records(b, 'sample'), records(a, 'sample'))
  t.deepEqual(records(b, 'evaluation'), records(a, 'evaluation'))
  t.deepEqual(Object.keys(a.weights).sort(), ['M1', 'M2', 'M3'])
  for (const [name, bytes] of Object.entries(a.weights)) t.true(bytes.equals(b.weights[name]!), `weights of ${name}`)
}

const timed = new Set(METRICS.flatMap(({ name, timed }) => (timed ? [name] : [])))

/** Every metric of every actor in its order, without its time, and without those that measure time. */
const metrics = (run: TinyRun) =>
  run.events.flatMap((event) =>
    event.type === 'metric' && !timed.has(event.name) ? [[event.actor.name, event.name, event.value]] : [],
  )

const slow = {
  costs: { sampler: { distribution: 'exponential', meanMs: 40 }, judge: 70, learner: 15 },
  links: { 'judge->learner': { ms: 30 }, '*->sampler': { distribution: 'uniform', minMs: 0, maxMs: 9 } },
} as const
const synchronous = { staleness: { max: 0 } } as const
const reference = tinyRun('inline', synchronous)

test.serial('one seed is one synchronous run: same samples, metrics and weights', async (t) => {
  const [first, second] = [await reference, await tinyRun('inline', synchronous)]
  same(t, first, second)
  t.deepEqual(metrics(first), metrics(second))
  t.true(records(first, 'sample').length === 64 && first.summary.samples.consumed > 30, 'it did train on preferences')
  t.false(first.weights.M1!.equals(first.weights.M2!))
  t.false(first.weights.M2!.equals(first.weights.M3!))
})

test.serial('another seed is another run', async (t) => {
  const [first, second] = [await reference, await tinyRun('inline', synchronous, 2)]
  for (const name of ['M1', 'M2', 'M3']) t.false(first.weights[name]!.equals(second.weights[name]!), name)
  t.notDeepEqual(records(first, 'sample'), records(second, 'sample'))
})

test.serial('threads are, with no staleness, what inline is', async (t) => {
  same(t, await reference, await tinyRun('threads', synchronous))
})

test.serial('threads are, with the staleness of an iteration, what inline is; replicas change nothing', async (t) => {
  const inline = await tinyRun('inline')
  const threads = await tinyRun('threads', { sampler: { replicas: 2 }, judge: { replicas: 2 } })
  same(t, withoutConfig(inline), withoutConfig(threads))
  t.is(inline.summary.staleness.lag.max, 3, 'the last of four updates uses samples of the first model')
})

test.serial('virtual time is, with no staleness, what inline is, whatever turns and messages cost', async (t) => {
  const inline = withoutConfig(await reference)
  for (const more of [{}, slow] as const) {
    const virtual = await tinyRun('virtual', { ...synchronous, ...more })
    same(t, inline, withoutConfig(virtual))
    t.deepEqual(byActor(virtual), byActor(inline))
  }
})

/** Of each actor alone: in virtual time, two that work at once are not heard in the order of their names. */
function byActor(run: TinyRun): Map<unknown, unknown[]> {
  const lists = new Map<unknown, unknown[]>()
  for (const [actor, ...metric] of metrics(run)) lists.set(actor, [...(lists.get(actor) ?? []), metric])
  return lists
}

const withoutConfig = (run: TinyRun): TinyRun => ({ ...run, summary: { ...run.summary, config: {} } })
