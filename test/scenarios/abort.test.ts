import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import test from 'ava'

const program = fileURLToPath(new URL('./fixtures/aborted.js', import.meta.url))

/** Resolves once the program has ended by itself: with a thread or a handle left it would not. */
async function aborted(stage: string, moment: string): Promise<{ code: string; cause?: string; seen: string[] }> {
  const { stdout } = await promisify(execFile)(process.execPath, [program, stage, moment])
  return JSON.parse(stdout)
}

for (const stage of ['inline', 'threads']) {
  test.serial(`${stage}: a run stopped during supervised training ends, and leaves nothing running`, async (t) => {
    const { code, cause, seen } = await aborted(stage, 'sft')
    t.is(code, 'E_STOPPED')
    t.is(cause, 'enough')
    t.false(seen.includes('sampling'))
  })

  test.serial(`${stage}: a run stopped while it samples ends, and leaves nothing running`, async (t) => {
    const { code, cause, seen } = await aborted(stage, 'sampling')
    t.is(code, 'E_STOPPED')
    t.is(cause, 'enough')
    t.false(seen.includes('failed'), 'a stopped actor has not failed')
    t.false(seen.includes('measured M2'))
  })

  test.serial(`${stage}: a run stopped while its actors start ends, and leaves nothing running`, async (t) => {
    const { code, seen } = await aborted(stage, 'starting')
    t.is(code, 'E_STOPPED')
    t.false(seen.includes('sft'))
  })
}

test.serial('a run stopped before it begins does not begin', async (t) => {
  t.deepEqual(await aborted('threads', 'before'), { code: 'E_STOPPED', cause: 'never mind', seen: [] })
})
