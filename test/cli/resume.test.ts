import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { seededRandom } from '../../runtime/index.js'
import { summarySchema } from '../../scenarios/summary.js'
import { leftBehind, TINY, tear, virtualRun } from './fixtures/resumable.js'
import { scratch } from './fixtures/scratch.js'
import { printed, start, troupe } from './fixtures/troupe.js'

const random = seededRandom(4, 'kills')

test.serial(
  'virtual: killed at any byte and resumed, a run leaves to the bit what one leaves that was not',
  async (t) => {
    const copyAt = [5, ...Array.from({ length: 4 }, () => 30 + random.int(700))]
    const whole = await virtualRun(400, copyAt)
    t.is(whole.copies.length, copyAt.length)
    const expected = leftBehind(whole.folder)
    for (const [i, copy] of whole.copies.entries()) {
      await tear(copy, random)
      const { code, stderr } = await troupe(['resume', copy])
      t.is(code, 0, stderr)
      const found = leftBehind(copy)
      for (const [name, bytes] of Object.entries(expected))
        t.true(found[name] === bytes, `${name}, killed at event ${copyAt[i]}`)
      t.deepEqual(readdirSync(join(copy, 'journal')), ['finished'])
    }
  },
)

const LINES = ['sft', 'M1 is version 0', 'measuring M1', 'train 1', 'M2 is version', 'measured M2', 'train 2'] as const

/** Runs, is killed when it has printed a line that chance chooses, is resumed, and so on; the last life comes to its end. */
async function killedRun(words: readonly string[], kills: number) {
  const cwd = scratch()
  const moments = Array.from({ length: kills }, () => random.int(LINES.length)).sort((a, b) => a - b)
  let command = ['run', TINY, '--out', 'run', ...words]
  let ended = 0
  for (const moment of moments) {
    const { child, outcome } = start(command, cwd)
    await printed(child, LINES[moment]!).catch(() => {}) // behind it already
    child.kill('SIGKILL')
    const { signal, code, stderr } = await outcome
    if (existsSync(join(cwd, 'run', 'journal', 'finished'))) return { folder: join(cwd, 'run'), ended, code: 0, stderr }
    if (signal !== 'SIGKILL') return { folder: join(cwd, 'run'), ended, code, stderr }
    ended++
    command = ['resume', 'run']
  }
  return { folder: join(cwd, 'run'), ended, ...(await troupe(command, cwd)) }
}

const lines = (folder: string, name: string) =>
  readFileSync(join(folder, name), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))

for (const [what, words] of [
  ['threads', ['--set', 'journal.everyMs=50']],
  ['a judge in a process', ['--set', 'journal.everyMs=50', '--set', 'place.judge=process']],
  ['inline', ['--stage', 'inline', '--set', 'journal.everyMs=50']],
] as const)
  test.serial(`${what}: a run that is killed again and again conserves its samples`, async (t) => {
    const { folder, ended, code, stderr } = await killedRun(words, 3)
    t.true(ended > 0)
    t.is(code, 0, stderr)
    const summary = summarySchema.parse(JSON.parse(readFileSync(join(folder, 'summary.json'), 'utf8')))
    const { issued, consumed, dropped, inFlight } = summary.samples
    const gone = Object.values(dropped).reduce((sum, count) => sum + count, 0)
    t.deepEqual([issued, consumed + gone, inFlight], [64, 64, 0])
    const ids = lines(folder, 'samples.jsonl').map(({ id }) => id)
    t.is(ids.length, 64)
    t.is(new Set(ids).size, 64, 'no sample is written down twice')
    t.deepEqual(
      lines(folder, 'evaluation.jsonl').map(({ value }) => value.name),
      ['M1', 'M2', 'M3'],
    )
    t.deepEqual(summary.failures, [])
  })

test.serial('virtual: killed and resumed by another process, a run has the trace of one that was not', async (t) => {
  const virtual = ['--stage', 'virtual', '--set', 'journal.everyVirtualMs=400']
  const { folder, ended, code, stderr } = await killedRun(virtual, 3)
  t.true(ended > 0)
  t.is(code, 0, stderr)
  t.deepEqual(leftBehind(folder), leftBehind((await virtualRun(400)).folder))
})
