import test from 'ava'
import type { JudgePair } from '../../actors/messages.js'
import { METRICS } from '../../actors/metric-table.js'
import { figures, records, type Settings, type TinyRun, tinyRun } from './fixtures/tiny-run.js'

const settings = {
  meta: true,
  demonstrations: { ift: 1500, eft: 1500, prompts: 600, meta: 1500 },
  judge: { replicas: 1, judgments: 4, sampling: { temperature: 1, topP: 1 } },
} as const satisfies Settings
const inline = tinyRun('inline', settings)

interface Sample {
  readonly iteration: number
  readonly completions: readonly { readonly score?: number }[]
  readonly chosen?: number
  readonly rejected?: number
  readonly judgePairs?: readonly Record<keyof JudgePair, string>[]
}
const samplesOf = (run: TinyRun) => records(run, 'sample') as Sample[]
const values = (run: TinyRun, name: string) =>
  run.events.flatMap((event) => (event.type === 'metric' && event.name === name ? [event.value] : []))
const scoreOf = (text: string) => 'zero one two three four five'.split(' ').indexOf(text.split(' ')[1]!)

test('judge pairs are trained on beside the pairs of answers, and every sample comes to its end', async (t) => {
  const run = await inline
  const { issued, consumed, dropped, inFlight } = run.summary.samples
  t.deepEqual([issued, inFlight], [64, 0])
  t.is(consumed + Object.values(dropped).reduce((a, b) => a + b, 0), issued)
  const pairs = samplesOf(run).flatMap(({ judgePairs = [] }) => judgePairs)
  t.true(pairs.length > 8, `${pairs.length} judge pairs`)
  t.true(pairs.every(({ chosen, rejected }) => scoreOf(chosen) >= 0 && scoreOf(rejected) >= 0))
  t.is(values(run, 'meta/pairs').at(-1), pairs.length)
  const trained = values(run, 'learner/judge_pairs')
  t.is(
    trained.reduce((a, b) => a + b, 0),
    pairs.length,
  )
  const all = values(run, 'learner/pairs').reduce((a, b) => a + b, 0)
  t.is(all, pairs.length + consumed, 'an update has pairs of both kinds')
  t.deepEqual(Object.keys(run.weights).sort(), ['M1', 'M2', 'M3'])
})

test('the meta-judge and the learner report what the table says', async (t) => {
  const own = METRICS.filter(({ name, role }) => role === 'meta-judge' || name === 'learner/judge_pairs')
  t.is(own.length, 6)
  for (const { name } of own) t.true(values(await inline, name).length > 0, name)
  const known = new Set(METRICS.map(({ name, role }) => `${name} by ${role}`))
  for (const event of (await inline).events)
    if (event.type === 'metric') t.true(known.has(`${event.name} by ${event.actor.role}`), event.name)
})

test('virtual time, put away and gone on with every 0.4 seconds, is what inline is, to the bit', async (t) => {
  const [a, b] = [await inline, await tinyRun('virtual', { ...settings, journal: { everyVirtualMs: 400 } })]
  const bare = ({ summary }: TinyRun) => figures({ ...summary, config: {} })
  t.deepEqual(bare(b), bare(a))
  t.deepEqual(records(b, 'sample'), records(a, 'sample'))
  for (const [name, bytes] of Object.entries(a.weights)) t.true(bytes.equals(b.weights[name]!), `weights of ${name}`)
})

test('after `judgeIterations` pairs are of answers alone, and tiers are those of each iteration', async (t) => {
  const run = await tinyRun('inline', { ...settings, meta: { judgeIterations: 1, rho: [0, 0.45] } })
  const [first, second] = [0, 1].map((iteration) => samplesOf(run).filter((sample) => sample.iteration === iteration))
  t.true(first!.some(({ judgePairs }) => judgePairs!.length > 0))
  t.true(second!.every(({ judgePairs }) => judgePairs === undefined))
  const isBest = ({ completions, chosen }: Sample) =>
    completions[chosen!]!.score === Math.max(...completions.map(({ score = -1 }) => score))
  const paired = (samples: readonly Sample[]) => samples.filter(({ chosen }) => chosen !== undefined)
  t.true(paired(first!).every(isBest), 'ρ = 0 chooses the best')
  t.false(paired(second!).every(isBest), 'wider tiers choose the shortest among good ones')
})

for (const [what, more, message] of [
  ['no comparisons by people', { demonstrations: { ...settings.demonstrations, meta: 0 } }, /demonstrations.meta is 0/],
  ['one judgment of each answer', { judge: { judgments: 1 } }, /one judgment of an answer/],
] as const)
  test(`${what}: refused before anything starts`, async (t) => {
    await t.throwsAsync(tinyRun('inline', { ...settings, ...more }), { code: 'E_CONFIG', message })
  })
