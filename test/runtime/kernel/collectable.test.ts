import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { PLACES } from '../fixtures/places.js'

const program = fileURLToPath(new URL('../fixtures/collectable.js', import.meta.url))

for (const subject of [...PLACES, 'virtual', 'failed', 'restarted', 'ports'])
  test.serial(`${subject}: of what has stopped nothing is held`, async (t) => {
    const child = spawn(process.execPath, ['--expose-gc', program, subject], { stdio: ['ignore', 'pipe', 'inherit'] })
    const [output, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')])
    t.is(code, 0)
    const { made, alive, parts } = JSON.parse(output) as Record<'made' | 'alive' | 'parts', number>
    t.true(made >= 15, `${made}`)
    t.deepEqual({ alive, parts }, { alive: 0, parts: 0 })
  })
