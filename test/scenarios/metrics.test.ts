import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import type { MetricEntry } from '../../actors/metric-entry.js'
import { METRICS } from '../../actors/metric-table.js'
import { ROOT } from '../repository/files.js'
import { tinyRun } from './fixtures/tiny-run.js'

const asynchronous = tinyRun('inline')
const synchronous = tinyRun('inline', { staleness: { max: 0 } })

/** The page's table, as it follows from the code. */
const rows = METRICS.map(
  ({ name, role, unit, meaning, formula, field = '' }) =>
    `| \`${name}\` | ${role} | ${unit} | ${meaning} | ${formula} | ${field} |`,
)

test('docs/metrics.md lists exactly the metrics of the table (WRITE_DOCS=1 writes them there)', (t) => {
  const path = join(ROOT, 'docs', 'metrics.md')
  const page = readFileSync(path, 'utf8')
  const listed = page.split('\n').filter((line) => line.startsWith('| `'))
  if (process.env.WRITE_DOCS === '1') {
    const others = page.split('\n').filter((line) => !line.startsWith('| `'))
    const rule = others.findIndex((line) => line.startsWith('|---'))
    writeFileSync(path, others.toSpliced(rule + 1, 0, ...rows).join('\n'))
  }
  t.deepEqual(listed, rows)
})

test('a run reports the metrics of the table, each by its role: no other, and all that are not optional', async (t) => {
  const seen = new Set<string>()
  for (const event of (await asynchronous).events)
    if (event.type === 'metric') seen.add(`${event.name} by ${event.actor.role}`)
  const rowOf = ({ name, role }: MetricEntry) => `${name} by ${role}`
  const known = METRICS.map(rowOf)
  t.deepEqual(
    [...seen].filter((row) => !known.includes(row)),
    [],
  )
  const always = METRICS.filter(({ optional }) => !optional).map(rowOf)
  t.true(always.length > 30)
  t.deepEqual(
    always.filter((row) => !seen.has(row)),
    [],
  )
})

/** The values of a metric in their order. */
async function values(run: ReturnType<typeof tinyRun>, name: string): Promise<number[]> {
  return (await run).events.flatMap((event) => (event.type === 'metric' && event.name === name ? [event.value] : []))
}

test('what an update says of staleness adds up, and to what the summary says of the run', async (t) => {
  const names = ['lag_mean', 'lag_max', 'in_flight_mean', 'in_queue_mean', 'judge_lag_mean'] as const
  const [mean, max, inFlight, inQueue, judge] = await Promise.all(
    names.map((name) => values(asynchronous, `staleness/${name}`)),
  )
  const { summary } = await asynchronous
  const pairs = await values(asynchronous, 'learner/pairs')
  t.is(mean!.length, pairs.length)
  t.deepEqual(
    mean,
    inFlight!.map((value, i) => value + inQueue![i]!),
  )
  t.is(Math.max(...max!), summary.staleness.lag.max)
  const weighted = (of: readonly number[]) => of.reduce((sum, value, i) => sum + value * pairs[i]!, 0)
  const total = pairs.reduce((a, b) => a + b, 0)
  t.true(Math.abs(weighted(mean!) / total - summary.staleness.lag.mean) < 1e-9)
  t.true(Math.abs(weighted(judge!) / total - summary.staleness.judgeLag.mean) < 1e-9)
})

test('a learner that is what wrote the pairs differs from it by rounding alone; an older writer is told from it', async (t) => {
  const fresh = await values(synchronous, 'mismatch_kl/mean')
  t.true(fresh.length > 6)
  t.true(
    fresh.every((kl) => Math.abs(kl) < 1e-7),
    `${fresh}`,
  )
  t.true((await values(synchronous, 'rl/ess')).every((ess) => Math.abs(ess - 1) < 1e-4))
  const [lag, kl, ess] = await Promise.all([
    values(asynchronous, 'staleness/lag_mean'),
    values(asynchronous, 'mismatch_kl/mean'),
    values(asynchronous, 'rl/ess'),
  ])
  t.deepEqual(lag, [0, 1, 2, 3, 0, 1, 2, 3], 'four updates of each iteration use samples of its first model')
  lag.forEach((versions, i) => {
    const told = `lag ${versions}: KL ${kl[i]}, ESS ${ess[i]}`
    if (versions === 0) t.true(Math.abs(kl[i]!) < 1e-7, told)
    else t.true(kl[i]! > Math.max(1e-5, kl[i - 1]!) && ess[i]! < ess[i - 1]! && ess[i]! > 0, told)
  })
})

test('issued = consumed + dropped at the end, in the metrics as in the summary', async (t) => {
  const last = async (name: string) => (await values(asynchronous, name)).at(-1)
  const { issued, consumed } = (await asynchronous).summary.samples
  t.deepEqual([await last('samples/issued'), await last('samples/consumed')], [issued, consumed])
  t.is((await last('samples/consumed'))! + (await last('samples/dropped'))!, issued)
})
