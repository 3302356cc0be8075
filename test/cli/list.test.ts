import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import test from 'ava'
import { ROOT } from '../repository/files.js'

test('list names scenarios, roles with their ports, and worlds', async (t) => {
  const { stdout } = await promisify(execFile)(process.execPath, [join(ROOT, 'dist/cli/main.js'), 'list', '--json'])
  const { scenarios, roles, worlds } = JSON.parse(stdout)
  t.deepEqual(scenarios[0], {
    name: 'self-rewarding',
    title: 'Self-Rewarding Language Models',
    presets: ['quick', 'full'],
  })
  const wiring = Object.fromEntries(
    roles.map((r: { role: string; inputs: string[]; outputs: string[] }) => [r.role, [r.inputs, r.outputs]]),
  )
  t.deepEqual(wiring.learner, [
    ['demonstrations', 'judged', 'candidates'],
    ['snapshots', 'reference'],
  ])
  t.deepEqual(wiring['meta-judge'], [['judged'], ['judged']])
  t.deepEqual(Object.keys(wiring).length, 11)
  t.is(worlds[0].name, 'default')
})
