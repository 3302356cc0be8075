import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { realClock } from '../../../runtime/index.js'
import { watchHeartbeat } from '../../../runtime/placement/heartbeat.js'
import { threadHosts } from '../../../runtime/placement/threads.js'
import { createNativeGuard, doomThread, installNativeGuard, nativeRun } from '../../../runtime/tensor/native-guard.js'
import { victim } from '../fixtures/victims.js'
import { answered, DEADLINE_MS, Hearing, isRunning, refusal, specOf, untilGone } from './support.js'

const killer = fileURLToPath(new URL('../fixtures/kills.js', import.meta.url))
const parentOfThree = fileURLToPath(new URL('../fixtures/parent.js', import.meta.url))
const KILLS = 50

test.serial(`threads: ${KILLS} are killed in the middle of native runs, and the process lives`, async (t) => {
  const child = spawn(process.execPath, [killer, String(KILLS)], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [output, [code, signal]] = await Promise.all([text(child.stdout), once(child, 'exit')])
  t.deepEqual([output, code, signal], [String(KILLS), 0, null])
})

test.serial('threads: one that spins is killed, and its place is free for the next', async (t) => {
  const hosts = threadHosts(realClock, 1)
  for (let i = 0; i < 3; i++) {
    const heard = new Hearing()
    const { control, kill } = hosts.host(specOf(victim), heard)
    await answered(control.start())
    const asked = refusal(control.ask('spin', []))
    await kill(DEADLINE_MS)
    t.is((await asked).code, 'E_ACTOR_DOWN')
    t.is((await refusal(control.ping())).code, 'E_ACTOR_DOWN')
    t.deepEqual(heard.deaths, [])
    await kill(DEADLINE_MS)
  }
  await hosts.close(DEADLINE_MS)
})

test.serial('threads: one that exits is a host that died', async (t) => {
  const hosts = threadHosts(realClock, 1)
  const heard = new Hearing()
  const { control } = hosts.host(specOf(victim), heard)
  await answered(control.start())
  t.is((await refusal(control.ask('exit', [6]))).code, 'E_ACTOR_DOWN')
  await heard.until(() => heard.deaths.length > 0)
  t.is(heard.deaths[0]?.code, 'E_HOST_DIED')
  t.regex(heard.deaths[0]?.message ?? '', /the thread of victim has ended: worker exited with code: 6/)
  await hosts.close(DEADLINE_MS)
})

test.serial('a doomed thread is free when its last native run has ended; no other begins meanwhile', async (t) => {
  const guard = createNativeGuard()
  installNativeGuard(guard)
  let end = () => {}
  const run = nativeRun(
    () =>
      new Promise<void>((resolve) => {
        end = resolve
      }),
  )
  const free = doomThread(guard)
  let hasBegun = false
  void nativeRun(async () => {
    hasBegun = true
  })
  t.is(await Promise.race([free.then(() => 'free'), Promise.resolve('under way')]), 'under way')
  end()
  await run
  await realClock.deadline(free, DEADLINE_MS, 'the end of the run')
  t.false(hasBegun)
})

test.serial('a host that does not answer is found out, once; one that answers is not', async (t) => {
  const hosts = threadHosts(realClock, 2)
  const hosted = ['quick', 'stuck'].map((name) => hosts.host(specOf(victim, { name }), new Hearing()))
  for (const { control } of hosted) await answered(control.start())
  const found: string[] = []
  const hung = new Promise<void>((resolve) => {
    for (const [i, { control }] of hosted.entries()) {
      const name = ['quick', 'stuck'][i] as string
      const stop = watchHeartbeat(control, {
        name,
        clock: realClock,
        heartbeatMs: 20,
        hangAfterMs: 2000,
        onHung: (error) => {
          found.push(`${error.code} ${error.where}`)
          resolve()
        },
      })
      t.teardown(stop)
    }
  })
  void hosted[1]?.control.ask('spin', [])
  await realClock.deadline(hung, DEADLINE_MS, 'the verdict')
  t.deepEqual(found, ['E_HOST_HUNG stuck'])
  await hosted[1]?.kill(DEADLINE_MS)
  await answered(hosted[0]!.control.ping())
  await hosts.close(DEADLINE_MS)
  t.is(found.length, 1)
})

test('beats are counted: a watch that was held up itself blames nobody', (t) => {
  let beat = () => {}
  let answer = () => {}
  const found: unknown[] = []
  const after = (_: number, work: () => void) => {
    beat = work
    return () => {}
  }
  const stop = watchHeartbeat(
    {
      ping: () =>
        new Promise((resolve) => {
          answer = () => resolve({ ok: true, value: undefined })
        }),
    },
    {
      name: 'judge',
      clock: { ...realClock, after },
      heartbeatMs: 100,
      hangAfterMs: 250,
      onHung: (error) => found.push(error.message),
    },
  )
  // whatever time went by before it, one beat is one beat
  beat()
  beat()
  t.deepEqual(found, [])
  beat()
  t.deepEqual(found, ['judge has not answered for 300 ms'])
  beat()
  answer()
  t.is(found.length, 1)
  stop()
})

async function startParent(ending: 'close' | 'wait') {
  const parent = spawn(process.execPath, [parentOfThree, ending], { stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = once(parent, 'exit')
  const [line] = (await realClock.deadline(once(parent.stdout, 'data'), DEADLINE_MS, 'the start')) as [Buffer]
  return { parent, exited, ...(JSON.parse(String(line)) as { pids: number[]; path: string }) }
}

test.serial('processes: a program that closes them exits by itself, and no process is left', async (t) => {
  const { exited, pids, path } = await startParent('close')
  t.is(pids.length, 3)
  t.deepEqual(await realClock.deadline(exited, DEADLINE_MS, 'the exit'), [0, null])
  t.deepEqual(pids.filter(isRunning), [])
  t.false(existsSync(dirname(path)))
})

test.serial('processes: they end when their parent is killed, also one that never gives way', async (t) => {
  const { parent, exited, pids, path } = await startParent('wait')
  t.true(pids.every(isRunning))
  parent.kill('SIGKILL')
  await exited
  await untilGone(pids)
  t.false(existsSync(dirname(path)), 'nor is anything left behind')
})

test.serial('processes: they outlive Ctrl-C, which is their parent’s to answer', async (t) => {
  const { parent, exited, pids } = await startParent('wait')
  for (const pid of pids.slice(1)) process.kill(pid, 'SIGINT')
  t.true(pids.every(isRunning))
  parent.kill('SIGTERM')
  await exited
  await untilGone(pids)
})
