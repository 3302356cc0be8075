import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { readJournal } from '../../../runtime/journal/index.js'
import { scratch } from '../../cli/fixtures/scratch.js'

const SAVER = fileURLToPath(new URL('../fixtures/saver.js', import.meta.url))

test('a process that is killed while it saves leaves what it said was safe, or what it was saving', async (t) => {
  const folder = join(scratch(), 'journal')
  for (let life = 1; life <= 6; life++) {
    const child = fork(SAVER, [folder])
    let safe = 0
    child.on('message', (said: { n: number }) => {
      safe = said.n
      if (safe % (life + 2) === 0) child.kill('SIGKILL') // the next one is being written by now
    })
    await once(child, 'exit')
    const { state, damaged } = await readJournal(folder)
    const { n, weights } = state as { n: number; weights: Float32Array }
    t.true(n >= safe && n > 0, `${n} found, ${safe} was safe`)
    t.true(weights.length === 300_000 && weights.every((value) => value === n))
    t.deepEqual(damaged, [])
  }
})
