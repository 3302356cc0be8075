import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { intervalText } from '../../cli/claims/outcome.js'
import { scratch } from './fixtures/scratch.js'
import { troupe } from './fixtures/troupe.js'

test('claims are measured once, kept, and written as a page', async (t) => {
  const cwd = scratch()
  const words = ['claims', 'c24', '--seeds', '2', '--out', 'kept', '--write', 'pages/claims.md', '--json']
  const first = await troupe(words, cwd)
  t.is(first.code, 0, first.stderr)
  t.regex(first.stderr, /C24 seed 2: done/)
  const { claims, commit } = JSON.parse(first.stdout)
  t.is(claims.length, 1)
  t.is(claims[0].verdict, 'holds')
  t.true(Math.abs(claims[0].checks[0].interval.mean - 0.55) < 1e-9)
  t.deepEqual(
    claims[0].seeds.map((record: { seed: number }) => record.seed),
    [1, 2],
  )
  t.deepEqual(readdirSync(join(cwd, 'kept')), ['C24.jsonl'], 'the work folders are gone')

  const page = readFileSync(join(cwd, 'pages/claims.md'), 'utf8')
  t.regex(page, /^\| C24 \| .* \| \*\*holds\*\* \|$/m)
  t.regex(page, /^## C24: /m)

  const other = readFileSync(join(cwd, 'kept/C24.jsonl'), 'utf8').replaceAll(`"commit":"${commit}"`, '"commit":"0ld"')
  writeFileSync(join(cwd, 'kept/C24.jsonl'), other)
  const second = await troupe(words, cwd)
  t.notRegex(second.stderr, /seed \d: done/)
  t.regex(second.stderr, /C24: figures of commit 0ld, not of/)
  t.regex(readFileSync(join(cwd, 'pages/claims.md'), 'utf8'), /Measured at commit `0ld`/)

  const third = await troupe([...words, '--fresh'], cwd)
  t.regex(third.stderr, /C24 seed 1: done/)
  t.notRegex(third.stderr, /0ld/)
})

test('an unknown claim, a broken record and a bad count end with 2 and say what to do', async (t) => {
  const cwd = scratch()
  const unknown = await troupe(['claims', 'C244'], cwd)
  t.is(unknown.code, 2)
  t.regex(unknown.stderr, /unknown claim "C244".*Did you mean .*"C24"/)
  t.false(existsSync(join(cwd, 'runs')))
  t.is((await troupe(['claims', 'C24', '--seeds', '0'], cwd)).code, 2)

  const kept = await troupe(['claims', 'C24', '--seeds', '1', '--out', 'kept'], cwd)
  t.is(kept.code, 0)
  t.regex(kept.stdout, /CANNOT TELL/)
  writeFileSync(join(cwd, 'kept/C24.jsonl'), '{"claim":"C24"\n')
  const broken = await troupe(['claims', 'C24', '--out', 'kept'], cwd)
  t.is(broken.code, 2)
  t.regex(broken.stderr, /C24\.jsonl:1/)
})

test('the list tells the criteria, and measures nothing', async (t) => {
  const cwd = scratch()
  const { code, stdout } = await troupe(['claims', '--list', '--json'], cwd)
  t.is(code, 0)
  const listed = JSON.parse(stdout) as { id: string; criterion: string; seeds: number }[]
  t.is(listed.find(({ id }) => id === 'C14')?.seeds, 1)
  t.true(listed.every(({ criterion }) => criterion.length > 20))
  t.false(existsSync(join(cwd, 'runs')))
})

test('an interval is told to two digits of its half width', (t) => {
  t.is(intervalText({ mean: 0.5333, low: 0.5011, high: 0.5655 }), '0.533 [0.501, 0.566]')
  t.is(intervalText({ mean: -1e-9, low: -2e-9, high: 1e-9 }), '0.00000 [0.00000, 0.00000]')
  t.is(intervalText({ mean: 3, low: 3, high: 3 }), '3')
  t.is(intervalText({ mean: 3, low: -Infinity, high: Infinity }), '3 (one seed)')
  t.is(intervalText({ mean: Number.NaN, low: Number.NaN, high: Number.NaN }), 'not measured')
})
