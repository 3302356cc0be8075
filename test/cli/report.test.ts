import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { closingWords } from '../../cli/closing.js'
import { renderReport } from '../../cli/report/report.js'
import { runBook } from '../../runtime/observe/book.js'
import { openRunFolder } from '../../runtime/observe/run-folder.js'
import { summarySchema } from '../../scenarios/summary.js'
import { scratch } from './fixtures/scratch.js'
import { syntheticSummary } from './fixtures/summary.js'
import { syntheticRun } from './fixtures/synthetic.js'

const HOSTILE = '<script>alert("x")</script><img src=x onerror=alert(1)>'

const options = { config: { note: HOSTILE }, seed: 1, stage: 'threads', backend: 'onnx' } as const

/** A run folder of a made-up run, as `troupe run` writes it. */
function runFolder(hostile: boolean): string {
  const folder = join(scratch(), 'run')
  const { events, durationMs, lags } = syntheticRun(10, 1)
  const writer = openRunFolder(folder, { scenario: 'toy', preset: 'quick', startedAt: 0, ...options })
  for (const event of events) writer.observe(event)
  if (hostile) {
    const actor = { name: HOSTILE, role: HOSTILE, replica: 0 }
    writer.observe({
      type: 'record',
      actor,
      at: 1,
      kind: 'sample',
      value: { prompt: HOSTILE, completions: [{ text: HOSTILE }, 3, null] },
    })
    writer.observe({
      type: 'record',
      actor,
      at: 1,
      kind: 'sample',
      value: { completions: 'none', version: 3, chosen: HOSTILE },
    })
    writer.observe({ type: 'span', actor, name: HOSTILE, queuedAt: 0, start: 0, end: 900 })
    for (const at of [1, 2, 3]) writer.observe({ type: 'metric', actor, at, name: HOSTILE, value: at })
    for (const depth of [1, 2]) writer.observe({ type: 'queue', actor, at: depth, input: HOSTILE, depth, window: 4 })
  }
  writer.finish(syntheticSummary(options, durationMs, lags))
  return folder
}

test('the report holds every plot and asks nothing of the network', async (t) => {
  const page = readFileSync(await renderReport(runFolder(false)), 'utf8')
  for (const title of [
    'Gold win rate against M1',
    'Gold score',
    'Agreement of the judge',
    'Answer length',
    'Distance from M1',
    'Pairs',
    'Who was busy when',
    'Staleness when used',
    'Loss',
    'Reward margin',
    'Queues',
  ])
    t.true(page.includes(`<h3>${title}</h3>`), title)
  t.is(page.match(/<svg /g)?.length, page.match(/<figure /g)?.length)
  t.false(/<(script|link|img|iframe|object)|@import|url\((?!#)|(href|src)=["']?(http|\/\/)/i.test(page))
  t.true(page.includes('68.3 % [63.4, 73.2]'))
  t.false(page.includes('NaN'))
})

test('what a model writes is shown as text, wherever it comes up', async (t) => {
  const page = readFileSync(await renderReport(runFolder(true)), 'utf8')
  t.false(/<(script|img)/i.test(page))
  t.true(page.includes('&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;'))
})

test('a folder of a run that was killed gives a report of what is there', async (t) => {
  const folder = join(scratch(), 'killed')
  mkdirSync(folder)
  writeFileSync(join(folder, 'config.json'), JSON.stringify({ scenario: 'toy', seed: 1, startedAt: 0 }))
  writeFileSync(
    join(folder, 'trace.json'),
    '[\n{"ph":"M","name":"thread_name","pid":1,"tid":1,"ts":0,"args":{"name":"judge"}},\n{"ph":"X","name":"judge","cat":"judge","pid":1,"tid":1,"ts":0,"dur":5000,"args":{}},\n{"ph":"X","na',
  )
  appendFileSync(join(folder, 'metrics.jsonl'), '{"at":1,"actor":"a","name":"learner/loss","value":1}\n{"at":2,"ac')
  const page = readFileSync(await renderReport(folder), 'utf8')
  t.regex(page, /has not finished/)
  t.true(page.includes('At most 1 role was in a turn'))
})

test('a summary of another form is refused with its place', async (t) => {
  const folder = runFolder(false)
  writeFileSync(join(folder, 'summary.json'), JSON.stringify({ scenario: 3 }))
  await t.throwsAsync(renderReport(folder), { message: /summary\.json is malformed at "scenario"/ })
})

test('where nobody scored, dashes stand and no plot of scores is drawn', async (t) => {
  const folder = join(scratch(), 'run')
  const writer = openRunFolder(folder, { scenario: 'toy', preset: 'quick', startedAt: 0, ...options })
  const summary = syntheticSummary(options, 1000, [1, 2])
  const judge = { pairAccuracy: null, exactMatch: null, fiveBest: null, spearman: null, kendall: null }
  const iterations = summary.iterations.map((row) => ({ ...row, goldScore: null, goldWinRate: null, judge }))
  writer.finish(summarySchema.parse({ ...summary, iterations }))
  const page = readFileSync(await renderReport(folder), 'utf8')
  for (const title of ['Gold win rate', 'Gold score', 'Agreement of the judge'])
    t.false(page.includes(`<h3>${title}`), title)
  for (const title of ['Answer length', 'Distance from M1']) t.true(page.includes(`<h3>${title}</h3>`), title)
  t.true(page.includes('Nobody scored the answers'))
  t.false(page.includes('<th>judging</th>'), 'a table of dashes says nothing')
  const words = closingWords({ ...summary, iterations }, runBook(), 1, folder, 'report.html')
  t.regex(words, /^M1 +- +- +- +/m)
})
