import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { summarySchema } from '../../scenarios/summary.js'
import { scratch } from './fixtures/scratch.js'
import { TOY, troupe } from './fixtures/troupe.js'

test('a run writes the whole folder, prints the table and where it is', async (t) => {
  const cwd = scratch()
  const { code, stdout, stderr } = await troupe(['run', TOY, '--seed', '5', '--out', 'deep/er'], cwd)
  t.is(code, 0, stderr)
  t.regex(stderr, /^backend onnx: the fastest that loads, [^\n]*\n$/)
  t.regex(stdout, /^toy quick, seed 5, threads, onnx -> deep\/er$/m)
  t.regex(stdout, /^M3 +68\.3 % \[63\.4, 73\.2\] vs M1 +3\.31 +75 % +9\.4 +2\.64 +940 +48/m)
  t.regex(stdout, /^report +deep\/er\/report\.html$/m)
  t.true(
    tableLines(stdout).every((line) => line.length <= 80),
    stdout,
  )
  const folder = join(cwd, 'deep', 'er')
  t.deepEqual(readdirSync(folder).sort(), [
    'config.json',
    'log.jsonl',
    'metrics.jsonl',
    'report.html',
    'samples.jsonl',
    'status.json',
    'summary.json',
    'trace.json',
  ])
  t.like(JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8')), { scenario: 'toy', preset: 'quick', seed: 5 })
  t.notThrows(() => summarySchema.parse(JSON.parse(readFileSync(join(folder, 'summary.json'), 'utf8'))))
  t.is(readFileSync(join(folder, 'samples.jsonl'), 'utf8').trim().split('\n').length, 40)
})

/** The table of iterations: the line with its rule, the one before and those that follow. */
function tableLines(text: string): string[] {
  const lines = text.split('\n')
  const rule = lines.findIndex((line) => line.startsWith('──'))
  return lines.slice(rule - 1, rule + 4)
}

test('--json prints the summary alone on stdout, progress on stderr', async (t) => {
  const { code, stdout, stderr } = await troupe(['run', TOY, '--json', '--stage', 'inline', '--backend', 'cpu'])
  t.is(code, 0)
  t.like(summarySchema.parse(JSON.parse(stdout)), { scenario: 'toy', stage: 'inline', backend: 'cpu' })
  t.regex(stderr, /learner: sft \(40 steps\)/)
})

test('an actor that failed and was started again is told of while it happens, and at the end', async (t) => {
  const cwd = scratch()
  const { code, stdout } = await troupe(['run', TOY, '--set', 'fail=restart', '--out', 'run'], cwd)
  t.is(code, 0)
  t.regex(
    stdout,
    /judge failed: the judge broke\n.*judge is started again\n.*judge set a message aside: the judge broke/,
  )
  t.regex(stdout, /^trouble +judge: E_ACTOR_FAILED, restarted once, 1 message set aside$/m)
  const log = readFileSync(join(cwd, 'run', 'log.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .slice(-2)
  t.deepEqual(
    log.map((line) => JSON.parse(line).message),
    ['the judge broke', 'set a message of "candidates" aside: the judge broke'],
  )
})

test('without --out a folder is named after the run', async (t) => {
  const cwd = scratch()
  await troupe(['run', TOY, '--preset', 'full', '--set', 'updates=4'], cwd)
  t.regex(readdirSync(join(cwd, 'runs')).join(), /^toy-full-seed1-\d{8}-\d{6}$/)
})

test('a run that fails leaves a folder that says why', async (t) => {
  const cwd = scratch()
  await troupe(['run', TOY, '--set', 'fail=crash', '--out', 'broken'], cwd)
  const folder = join(cwd, 'broken')
  t.like(JSON.parse(readFileSync(join(folder, 'error.json'), 'utf8')), { code: 'E_FAILED', message: 'the toy broke' })
  t.false(existsSync(join(folder, 'summary.json')))
  t.true(Array.isArray(JSON.parse(readFileSync(join(folder, 'trace.json'), 'utf8'))))
  const { code } = await troupe(['report', 'broken'], cwd)
  t.is(code, 0)
  t.regex(readFileSync(join(folder, 'report.html'), 'utf8'), /This run did not finish \(E_FAILED\): the toy broke/)
})

test('a summary that is not of the stable form is a failure of the scenario', async (t) => {
  const { code, stderr } = await troupe(['run', TOY, '--set', 'fail=summary'])
  t.is(code, 1)
  t.regex(stderr, /not of the stable form \(seed: /)
})

test('list shows what can be set in a scenario', async (t) => {
  const { code, stdout } = await troupe(['list', TOY])
  t.is(code, 0)
  t.regex(stdout, /nested\.depth = 1 +a whole number \(at least 0\)/)
})

test('doctor says which backends load and what to install for the others', async (t) => {
  const { stdout } = await troupe(['doctor', '--json'])
  const { node, backends } = JSON.parse(stdout)
  t.is(node.version, process.version)
  t.like(
    backends.find((backend: { name: string }) => backend.name === 'onnx'),
    { usable: true },
  )
  for (const backend of backends) t.true(backend.usable || backend.remedy.startsWith('npm install'), backend.name)
})
