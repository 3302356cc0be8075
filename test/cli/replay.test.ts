import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { summarySchema } from '../../scenarios/summary.js'
import { TINY_GOLD, TINY_WORLD } from '../actors/fixtures/alone.js'
import { scratch } from './fixtures/scratch.js'
import { TOY, troupe } from './fixtures/troupe.js'

const virtual = ['--stage', 'virtual']
const json = (...path: string[]) => JSON.parse(readFileSync(join(...path), 'utf8'))

/** Self-rewarding in the tiny world, with costs, links and a bound, by the command line alone. */
const TINY = [
  ...['run', 'self-rewarding', ...virtual, '--seed', '3', '--set', `world.module=${TINY_WORLD.module}`],
  ...[
    `gold.module=${TINY_GOLD.module}`,
    'model={"hiddenSize":32,"intermediateSize":64,"layers":1,"heads":2,"kvHeads":2}',
  ],
  ...['demonstrations={"ift":600,"eft":600,"prompts":300}', 'iterations=[24,24]', 'promptsPerUpdate=8', 'batch=4'],
  ...['generator={"shots":2,"maxRougeL":0.9,"seedPrompts":40}', 'evaluation={"prompts":8,"samples":2,"judgeSet":8}'],
  ...['staleness={"max":2,"publishEvery":1}', 'sampler.replicas=2', 'costs.learner=7', 'journal.everyVirtualMs=200'],
  'costs.sampler={"distribution":"lognormal","meanMs":40,"p95Ms":90,"straggler":{"probability":0.2,"factor":5}}',
  'links={"sampler->judge":{"ms":20}}',
]

test('self-rewarding in virtual time, from the command line; replayed, it is the same to the bit', async (t) => {
  t.timeout(110_000)
  const cwd = scratch()
  const { code, stdout, stderr } = await troupe([...TINY, '--out', 'first'], cwd)
  t.is(code, 0, stderr)
  const folder = join(cwd, 'first')
  const summary = summarySchema.parse(json(folder, 'summary.json'))
  t.is(summary.stage, 'virtual')
  t.true(summary.staleness.lag.max > 0 && summary.staleness.lag.max <= 2, `${summary.staleness.lag.max}`)
  t.true(stdout.includes(`trace        ${summary.traceHash}`), stdout)
  t.regex(stdout, /^time +0:\d\d of virtual time, computed in 0:\d\d$/m)
  t.regex(readFileSync(join(folder, 'report.html'), 'utf8'), /Times here are virtual/)
  const { config, startedAt } = json(folder, 'config.json')
  t.true(startedAt > 1e12, 'when it was, and not in virtual time')
  t.deepEqual(config.costs.learner, { distribution: 'constant', ms: 7 })
  t.false('learner:train' in config.costs, 'what is said of the learner is said of all its turns')
  t.is(config.costs.judge.perItem, 'prompts', 'what nothing was said of costs what it costs')
  const firstSpan = json(folder, 'trace.json').find(({ ph }: { ph: string }) => ph === 'X')
  t.is(firstSpan.ts, 0)
  t.notRegex(readFileSync(join(folder, 'events.jsonl'), 'utf8'), new RegExp(`${cwd}|${tmpdir()}`))

  const before = readdirSync(tmpdir()).filter((name) => name.startsWith('troupe-replay-'))
  const replayed = await troupe(['replay', 'first'], cwd)
  t.is(replayed.code, 0, replayed.stderr)
  t.regex(replayed.stdout, new RegExp(`^the same trace: ${summary.traceHash}, \\d+ events\\n`))
  t.regex(replayed.stdout, /^the same weights of M1, M2, M3, to the bit$/m)
  const after = readdirSync(tmpdir()).filter((name) => name.startsWith('troupe-replay-'))
  t.deepEqual(
    after.filter((name) => !before.includes(name)),
    [],
    'nothing is left of the second run',
  )
})

test('replay finds the first event that is not the same; two folders are compared without running', async (t) => {
  const cwd = scratch()
  await troupe(['run', TOY, ...virtual, '--seed', '4', '--out', 'a'], cwd)
  const again = await troupe(['replay', 'a', '--out', 'b', '--json'], cwd)
  t.is(again.code, 0, again.stderr)
  const { same, traceHash, events } = JSON.parse(again.stdout)
  t.true(same)
  t.is(traceHash, json(cwd, 'a', 'summary.json').traceHash)
  t.is(traceHash, json(cwd, 'b', 'summary.json').traceHash)
  t.is(json(cwd, 'b', 'config.json').replayOf, 'a')

  const path = join(cwd, 'a', 'events.jsonl')
  const lines = readFileSync(path, 'utf8').trim().split('\n')
  t.is(lines.length, events)
  const changed = lines.findIndex((line) => line.includes('"learner/loss"'))
  const value = JSON.parse(lines[changed]!)
  writeFileSync(path, `${lines.with(changed, JSON.stringify({ ...value, value: 9.5 })).join('\n')}\n`)
  for (const words of [
    ['replay', 'a'],
    ['replay', 'a', 'b'],
  ]) {
    const { code, stdout } = await troupe(words, cwd)
    t.is(code, 1)
    t.regex(stdout, new RegExp(`^first difference in line ${changed + 1}: learner at [\\d.]+ ms\\n  value: a 9\\.5, `))
  }
  const told = await troupe(['replay', 'b', 'a', '--json'], cwd)
  t.is(told.code, 1)
  t.like(JSON.parse(told.stdout), { same: false, difference: { line: changed + 1, actor: 'learner' } })
  t.is((await troupe(['replay', 'b', 'b'], cwd)).stdout, `the same trace: ${traceHash}, ${events} events\n`)
})

test('a run that failed is replayed up to its failure', async (t) => {
  const cwd = scratch()
  t.is((await troupe(['run', TOY, ...virtual, '--set', 'fail=crash', '--out', 'broken'], cwd)).code, 1)
  const { code, stdout, stderr } = await troupe(['replay', 'broken'], cwd)
  t.is(code, 0)
  t.regex(stderr, /^troupe: the toy broke$/m)
  t.regex(stdout, /^the same trace: [\da-f]{64}, \d+ events$/m)
})

test('what cannot be replayed is a sentence and exit code 2; another version is noted', async (t) => {
  const cwd = scratch()
  await troupe(['run', TOY, ...virtual, '--out', 'run'], cwd)
  await troupe(['run', TOY, '--stage', 'inline', '--out', 'inline'], cwd)
  const cases: [string[], RegExp][] = [
    [['replay', 'inline'], /"inline" is a run of stage inline, which cannot be replayed\. Only in virtual time/],
    [['replay', 'run', 'inline'], /"inline" is a run of stage inline/],
    [['replay', 'nothing'], /"nothing" is no run folder: it has no config\.json/],
    [['replay', 'run', 'run', '--out', 'x'], /--out is for a run that is run again/],
    [['replay', 'run', '--out', 'inline'], /the run folder "inline" is not empty/],
  ]
  for (const [words, says] of cases) {
    const { code, stderr } = await troupe(words, cwd)
    t.is(code, 2, words.join(' '))
    t.regex(stderr, says)
  }
  const path = join(cwd, 'run', 'config.json')
  writeFileSync(path, JSON.stringify({ ...json(path), troupe: '0.0.1', node: 'v19.0.0' }))
  const { code, stderr } = await troupe(['replay', 'run'], cwd)
  t.is(code, 0)
  t.regex(stderr, /note: it ran with Troupe 0\.0\.1, and this is /)
  t.regex(stderr, /note: it ran with Node v19\.0\.0, and this is v/)
  writeFileSync(path, JSON.stringify({ ...json(path), config: { updates: 'many' } }))
  const refused = await troupe(['replay', 'run'], cwd)
  t.is(refused.code, 2)
  t.regex(refused.stderr, /the configuration in "run" is none of this Troupe's: "updates"/)
})
