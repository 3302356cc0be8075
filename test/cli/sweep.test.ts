import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { combinationsOf, folderOf } from '../../cli/combinations.js'
import { scratch } from './fixtures/scratch.js'
import { TOY, troupe } from './fixtures/troupe.js'

test('every combination of the values, with each seed; lists and objects keep their commas', (t) => {
  const runs = combinationsOf(['staleness.max=0,"iteration"', 'iterations=[8,8],[16]'], 5, 2)
  t.deepEqual(
    runs.map(({ settings, seed }) => [...settings, seed].join(' ')),
    [
      'staleness.max=0 iterations=[8,8] 5',
      'staleness.max=0 iterations=[8,8] 6',
      'staleness.max=0 iterations=[16] 5',
      'staleness.max=0 iterations=[16] 6',
      'staleness.max="iteration" iterations=[8,8] 5',
      'staleness.max="iteration" iterations=[8,8] 6',
      'staleness.max="iteration" iterations=[16] 5',
      'staleness.max="iteration" iterations=[16] 6',
    ],
  )
  t.deepEqual(
    combinationsOf(['a=0,iteration'], 1, 1).flatMap(({ settings }) => settings),
    ['a=0', 'a=iteration'],
  )
  t.is(folderOf(runs[1]!, 1, 12), '02-staleness.max=0_iterations=_8_8_seed=6')
  t.throws(() => combinationsOf(['a=1,2', 'b=1,2'], 1, 251), { code: 'E_CONFIG', message: /more than 1000 runs/ })
  for (const wrong of ['a', '=1', 'a=']) t.throws(() => combinationsOf([wrong], 1, 1), { code: 'E_CONFIG' })
})

test('a sweep is a table, a CSV file and a run folder for each; one that fails leaves the others', async (t) => {
  const cwd = scratch()
  const words = ['sweep', TOY, '--vary', 'updates=4,8', '--vary', 'fail=never,crash', '--seed', '7', '--out', 'study']
  const { code, stdout, stderr } = await troupe([...words, '--json'], cwd)
  t.is(code, 1, 'some failed')
  t.regex(stderr, /^1\/4 updates=4 fail=never seed=7: done in 0:1\d$/m)
  t.regex(stderr, /^4\/4 updates=8 fail=crash seed=7: failed \(1\)$/m)
  const rows = JSON.parse(stdout)
  t.deepEqual(
    rows.map(({ updates, fail, seed, exitCode }: Record<string, unknown>) => [updates, fail, seed, exitCode]),
    [
      ['4', 'never', 7, 0],
      ['4', 'crash', 7, 1],
      ['8', 'never', 7, 0],
      ['8', 'crash', 7, 1],
    ],
  )
  const summary = JSON.parse(readFileSync(join(cwd, rows[2].folder, 'summary.json'), 'utf8'))
  t.is(summary.stage, 'virtual')
  t.is(rows[2].traceHash, summary.traceHash)
  t.is(rows[2].lagMean, summary.staleness.lag.mean)
  t.not(rows[0].traceHash, rows[2].traceHash)
  t.deepEqual([rows[1].goldWinRate, rows[1].traceHash], [null, null])
  t.is(readdirSync(join(cwd, 'study')).length, 5)
  const [head, first] = readFileSync(join(cwd, 'study', 'sweep.csv'), 'utf8').split('\n')
  t.is(head, 'updates,fail,seed,model,goldWinRate,goldScore,lagMean,lagMax,durationMs,traceHash,exitCode,folder')
  t.true(first!.startsWith('4,never,7,M3,0.683,3.31,'), first)
})

test('a value that the scenario does not take is refused before the first run', async (t) => {
  const cwd = scratch()
  const { code, stderr } = await troupe(['sweep', TOY, '--vary', 'updates=4,many', '--out', 'study'], cwd)
  t.is(code, 2)
  t.regex(stderr, /"updates" must be a whole number .* but "many" was given/)
  t.deepEqual(readdirSync(cwd), [])
})
