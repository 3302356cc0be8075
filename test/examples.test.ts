import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import test from 'ava'
import { filesIn, ROOT } from './repository/files.js'

const example = filesIn('examples', '.ts').find(({ path }) => path === 'examples/own-role.ts')!

test('the example of one’s own role runs, in threads, and ends', async (t) => {
  const file = join(ROOT, 'dist', 'examples', 'own-role.js')
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [file], { timeout: 60_000 })
  t.deepEqual(JSON.parse(stdout), { answer: 'oak fig elm', score: 0.75 })
  t.is(stderr, '')
})

test('the README shows the example as it is', (t) => {
  const readme = filesIn('.', '.md').find(({ path }) => path === 'README.md')
  const shown = readme && [...readme.text.matchAll(/^```(?:ts|typescript)\n([\s\S]*?)^```/gm)].map((match) => match[1])
  t.true(!shown || shown.length === 0 || shown.includes(example.text))
})
