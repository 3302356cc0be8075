import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import test from 'ava'

const program = fileURLToPath(new URL('../fixtures/million.js', import.meta.url))
const COUNT = 1_000_000
const WINDOW = 256
const MB = 2 ** 20

test('a million messages through a slow reader: never more than the window under way, and the heaps stay as they are', async (t) => {
  t.timeout(110_000)
  const args = ['--expose-gc', program, String(COUNT), String(WINDOW)]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const [output, [code, signal]] = await Promise.all([text(child.stdout), once(child, 'exit')])
  t.deepEqual([code, signal], [0, null])
  const { taken, most, heaps } = JSON.parse(output) as {
    taken: number
    most: number
    heaps: Record<'sender' | 'receiver', number[]>
  }
  t.is(taken, COUNT)
  t.true(most <= WINDOW, `${most} were under way`)
  for (const [end, sizes] of Object.entries(heaps)) {
    t.is(sizes.length, 10)
    const [, second] = sizes
    const growth = (Math.max(...sizes.slice(1)) - second!) / MB
    t.true(growth < 2, `${end}: ${sizes.map((size) => (size / MB).toFixed(2)).join(', ')} MB`)
    t.log(`${end}: ${sizes.map((size) => (size / MB).toFixed(2)).join(', ')} MB`)
  }
})
