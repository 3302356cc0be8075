import test from 'ava'
import type { JudgePair } from '../../actors/messages.js'
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
  t.is(trained.reduce((a, b) => a + b, 0), pairs.length)
  const all = values(run, 'learner/pairs').reduce((a, b) => a + b, 0)
  t.is(all, pairs.length + consumed, 'an update has pairs of both kinds')
  t.deepEqual(Object.keys(run.weights).sort(), ['M1', 'M2', 'M3'])
})
