import test from 'ava'
import { traceTranslator } from '../../runtime/observe/trace.js'
import { overlap } from '../../runtime/observe/trace-overlap.js'
import { planOf } from '../../scenarios/self-rewarding-plan.js'
import { type Summary, summarySchema } from '../../scenarios/summary.js'
import { records, type TinyRun, tinyConfig, tinyRun } from './fixtures/tiny-run.js'

interface Sample {
  readonly id: string
  readonly iteration: number
  readonly update: number
  readonly version: { readonly start: number; readonly end: number }
  readonly judgeVersion: { readonly start: number }
  readonly lag: number
  readonly judgeLag: number
  readonly dropped?: string
}
const samples = (run: TinyRun) => records(run, 'sample') as Sample[]

function total(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0)
}

/** What must hold of every run, whatever its bound. */
function isAccountedFor(run: TinyRun): boolean {
  const { samples: counts, staleness }: Summary = summarySchema.parse(JSON.parse(JSON.stringify(run.summary)))
  const used = samples(run).filter((sample) => sample.dropped === undefined)
  const lags = used.map(({ lag }) => lag)
  return (
    counts.issued === 64 &&
    counts.issued === counts.consumed + total(counts.dropped) + counts.inFlight &&
    new Set(samples(run).map(({ id }) => id)).size === counts.issued &&
    used.length === counts.consumed &&
    Object.values(staleness).every(({ histogram }) => total(histogram) === counts.consumed) &&
    staleness.lag.max === Math.max(...lags) &&
    Math.abs(staleness.lag.mean - lags.reduce((a, b) => a + b, 0) / lags.length) < 1e-9 &&
    samples(run).every(
      (s) =>
        s.lag === s.update - s.version.start &&
        s.judgeLag === s.update - s.judgeVersion.start &&
        s.judgeVersion.start >= s.version.end,
    )
  )
}

test.serial('with no staleness allowed, every sample is of the version that it trains', async (t) => {
  const run = await tinyRun('inline', { staleness: { max: 0 } })
  t.true(isAccountedFor(run))
  for (const kind of ['lag', 'inFlight', 'inQueue', 'publish', 'judgeLag'] as const)
    t.deepEqual(Object.keys(run.summary.staleness[kind].histogram), ['0'], kind)
})

test.serial('no sample is older than the bound', async (t) => {
  const bounded = { staleness: { max: 2, publishEvery: 1 }, sampler: { replicas: 2 } } as const
  for (const run of [await tinyRun('inline', bounded), await tinyRun('threads', bounded)]) {
    t.true(isAccountedFor(run))
    t.true(samples(run).every(({ lag }) => lag >= 0 && lag <= 2))
  }
})

test.serial(
  'weights taken in mid-generation: every sample is dated by the oldest, and kept within the bound',
  async (t) => {
    const settings = {
      staleness: { max: 2, publishEvery: 1 },
      sampler: { inFlight: 'recompute', replicas: 2 },
    } as const
    const run = await tinyRun('threads', settings)
    t.true(isAccountedFor(run))
    t.true(samples(run).every(({ lag, version }) => lag >= 0 && lag <= 2 && version.end >= version.start))
    const strict = await tinyRun('inline', { staleness: { max: 0 }, sampler: { inFlight: 'keep' } })
    const plain = await tinyRun('inline', { staleness: { max: 0 } })
    t.deepEqual(strict.weights, plain.weights, 'a synchronous run has nothing in flight')
  },
)

test.serial('published as rarely as the bound allows, samples lag', async (t) => {
  const run = await tinyRun('inline', { staleness: { max: 2 } })
  t.true(isAccountedFor(run))
  // Versions 0, 3, then 4 for the iteration's end, then 7: nothing else can be seen.
  t.true(samples(run).every(({ version }) => [0, 3, 4, 7].includes(version.start)))
  t.is(run.summary.staleness.lag.max, 2)
  t.is(run.summary.staleness.publish.max, 2)
})

test.serial('an iteration is all of one model, and at least three roles work at once', async (t) => {
  // Measuring M1 takes long enough for any two of the others to meet beside it.
  const run = await tinyRun('threads', { iterations: [64], evaluation: { prompts: 150, samples: 4, judgeSet: 100 } })
  t.is(run.summary.samples.issued, 64)
  t.deepEqual([...new Set(samples(run).map(({ version }) => version.start))], [0])
  t.deepEqual([...new Set(samples(run).map(({ judgeVersion }) => judgeVersion.start))], [0])
  t.deepEqual([...new Set(samples(run).map(({ lag }) => lag))], [0, 1, 2, 3, 4, 5, 6, 7])
  const trace = traceTranslator('tiny', 0)
  const { most, roles } = overlap(run.events.flatMap((event) => trace.translate(event)))
  t.true(most >= 3, `most at once: ${roles.join(', ')}`)
})

test('publishing more rarely than the bound allows is refused by both names', async (t) => {
  for (const publishEvery of [2, 'iteration'] as const) {
    const error = await t.throwsAsync(planOf(tinyConfig({ staleness: { max: 0, publishEvery } }), 'cpu', 'out'))
    t.is((error as { code?: string }).code, 'E_CONFIG')
    t.regex(error!.message, /staleness\.publishEvery/)
    t.regex(error!.message, /staleness\.max 0/)
  }
  const rarest = await planOf(tinyConfig({ staleness: { max: 3 } }), 'cpu', 'out')
  t.is(rarest.learner.publishEvery, 4)
  t.is((await planOf(tinyConfig(), 'cpu', 'out')).learner.publishEvery, 'iteration')
})
