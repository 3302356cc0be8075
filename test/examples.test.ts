import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import test from 'ava'
import { scratch } from './cli/fixtures/scratch.js'
import { filesIn, ROOT } from './repository/files.js'

const example = filesIn('examples', '.ts').find(({ path }) => path === 'examples/own-role.ts')!

test('the example of one’s own role runs, in threads, and ends', async (t) => {
  const file = join(ROOT, 'dist', 'examples', 'own-role.js')
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [file], { timeout: 60_000 })
  t.deepEqual(JSON.parse(stdout), { answer: 'oak fig elm', score: 0.75 })
  t.is(stderr, '')
})

test('the example of telemetry exports a run’s spans and metrics, loaded before the command', async (t) => {
  const [preload, command, toy] = ['examples/telemetry.js', 'cli/main.js', 'test/cli/fixtures/toy.js'].map((file) =>
    join(ROOT, 'dist', file),
  ) as [string, string, string]
  const words = ['--import', preload, command, 'run', toy, '--set', 'updates=2', '--out', 'run']
  const { stdout } = await promisify(execFile)(process.execPath, words, { cwd: scratch(), timeout: 60_000 })
  for (const said of [/name: 'run toy'/, /'troupe\.queue_time_ms': /, /name: 'troupe\.turn\.work_time'/])
    t.regex(stdout, said)
})

test('the README shows the example as it is', (t) => {
  const readme = filesIn('.', '.md').find(({ path }) => path === 'README.md')
  const shown = readme && [...readme.text.matchAll(/^```(?:ts|typescript)\n([\s\S]*?)^```/gm)].map((match) => match[1])
  t.true(!shown || shown.length === 0 || shown.includes(example.text))
})
