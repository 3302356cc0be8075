import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { scratch } from './fixtures/scratch.js'
import { printed, start, TOY } from './fixtures/troupe.js'

/** Printed when all of the toy's events are out and it waits to be stopped. */
const WAITING = 'evaluator: M3 evaluated'

for (const [signal, exitCode, how] of [
  ['SIGINT', 130, 'Ctrl-C'],
  ['SIGTERM', 143, 'SIGTERM'],
] as const) {
  test(`${signal} stops cleanly with exit code ${exitCode} and a readable run folder`, async (t) => {
    const cwd = scratch()
    const { child, outcome } = start(['run', TOY, '--set', 'hang=true', '--out', 'run'], cwd)
    await printed(child, WAITING)
    child.kill(signal)
    const { code, stderr } = await outcome
    t.is(code, exitCode)
    t.regex(stderr, /What was written until then is in run$/m)
    const read = (name: string) => readFileSync(join(cwd, 'run', name), 'utf8')
    t.like(JSON.parse(read('error.json')), {
      code: 'E_STOPPED',
      message: `the run was stopped by ${how} before it finished`,
    })
    t.is(JSON.parse(read('config.json')).scenario, 'toy')
    t.true(JSON.parse(read('trace.json')).length > 100)
    for (const name of ['metrics.jsonl', 'samples.jsonl'])
      for (const line of read(name).trim().split('\n')) t.notThrows(() => JSON.parse(line))
    t.false(existsSync(join(cwd, 'run', 'summary.json')))
    t.throws(() => process.kill(child.pid!, 0), { code: 'ESRCH' }, 'no process is left')
  })
}

test('a second signal ends a run that does not stop, and the folder is still readable', async (t) => {
  const cwd = scratch()
  const { child, outcome } = start(['run', TOY, '--set', 'deaf=true', '--out', 'run'], cwd)
  await printed(child, WAITING)
  child.kill('SIGINT')
  await printed(child, 'stopping')
  // One press of Ctrl-C may arrive twice (npm forwards it): what follows within 0.4 s is taken as the same press.
  const again = setInterval(() => child.kill('SIGINT'), 50)
  const { signal, stderr } = await outcome
  clearInterval(again)
  t.is(signal, 'SIGINT', 'a shell calls this 130')
  t.regex(stderr, /^backend onnx: [^\n]*\n$/)
  t.is(JSON.parse(readFileSync(join(cwd, 'run', 'error.json'), 'utf8')).code, 'E_STOPPED')
  t.true(Array.isArray(JSON.parse(readFileSync(join(cwd, 'run', 'trace.json'), 'utf8'))))
})

test('a reader that goes away is no crash', async (t) => {
  const { child, outcome } = start(['list', TOY], scratch())
  child.stdout?.destroy()
  const { stderr } = await outcome
  t.notRegex(stderr, /EPIPE/)
})
