import { Worker } from 'node:worker_threads'
import test from 'ava'
import type { RunEvent, Usage } from '../../../runtime/observe/events.js'
import { reportUsage, usageProbe } from '../../../runtime/observe/usage.js'
import type { Clock } from '../../../runtime/time/clock.js'

const actor = { name: 'learner', role: 'learner', replica: 0 }
const usage: Usage = {
  cpuMs: 1,
  cpuOf: 'thread',
  eventLoopUtilization: 0,
  rssBytes: 1,
  heapUsedBytes: 1,
  arrayBuffersBytes: 1,
  tensorBytes: 0,
}

/** A clock whose sleeps end when the test says so. */
function handClock() {
  let now = 0
  let wake: (() => void) | undefined
  const clock: Pick<Clock, 'now' | 'sleep'> = {
    now: () => now,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        signal?.addEventListener('abort', () => reject(signal.reason), { once: true })
        wake = () => {
          now += ms
          resolve()
        }
      }),
  }
  const tick = async () => {
    wake?.()
    for (let i = 0; i < 3; i++) await Promise.resolve()
  }
  return { clock: clock as Clock, tick }
}

test('what is used is reported every second, once more at the end, and then no more', async (t) => {
  const events: RunEvent[] = []
  const { clock, tick } = handClock()
  const end = reportUsage({ actor, clock, reporter: { emit: (event) => events.push(event) }, probe: () => usage })
  t.deepEqual(events, [])
  await tick()
  await tick()
  t.deepEqual(events, [
    { type: 'usage', actor, at: 1000, ...usage },
    { type: 'usage', actor, at: 2000, ...usage },
  ])
  end()
  end()
  await tick()
  t.is(events.length, 3)
})

test('a budget of tensors that is passed is warned of once', async (t) => {
  const events: RunEvent[] = []
  const { clock, tick } = handClock()
  const held = [100, 101, 500]
  reportUsage({
    actor,
    clock,
    reporter: { emit: (event) => events.push(event) },
    tensorBudgetBytes: 100,
    probe: () => ({ ...usage, tensorBytes: held.shift() ?? 0 }),
  })
  for (let i = 0; i < 3; i++) await tick()
  const message = 'holds 101 bytes of tensors, more than its budget of 100'
  t.deepEqual(
    events.filter(({ type }) => type === 'log'),
    [{ type: 'log', actor, at: 2000, level: 'warn', message }],
  )
})

test('a busy thread’s processor time is its own: its neighbour’s stays small', async (t) => {
  const source = `
    const { parentPort, workerData } = require('node:worker_threads')
    import(workerData).then(({ usageProbe }) => {
      const probe = usageProbe()
      const before = probe()
      parentPort.on('message', (spin) => {
        let x = 1
        for (let i = 0; spin && probe().cpuMs - before.cpuMs < 200 && i < 1e7; i++) x = Math.sin(x)
        const { cpuMs, ...rest } = probe()
        parentPort.postMessage({ ...rest, spent: cpuMs - before.cpuMs, x })
      })
      parentPort.postMessage('ready')
    })`
  const module = new URL('../../../runtime/observe/usage.js', import.meta.url).href
  const open = async () => {
    const worker = new Worker(source, { eval: true, workerData: module })
    const next = () => new Promise<Usage & { spent: number }>((resolve) => worker.once('message', resolve))
    await next()
    return { worker, next }
  }
  const [busy, idle] = [await open(), await open()]
  busy.worker.postMessage(true)
  const spent = await busy.next()
  idle.worker.postMessage(false)
  const rested = await idle.next()
  t.true(spent.spent >= 200, `${spent.spent} ms`)
  if (spent.cpuOf === 'thread') t.true(rested.spent < 100, `${rested.spent} ms`)
  t.true(spent.heapUsedBytes > 1e6 && spent.rssBytes > spent.heapUsedBytes)
  await Promise.all([busy.worker.terminate(), idle.worker.terminate()])
})

test('tensors are counted where TensorFlow.js is loaded, without its backends', async (t) => {
  const probe = usageProbe()
  t.is(probe().tensorBytes, 0)
  t.is(probe().cpuOf, 'process')
  const tf = await import('@tensorflow/tfjs-core')
  t.is(probe().tensorBytes, 0, 'no backend yet, and none is asked')
  await import('@tensorflow/tfjs-backend-cpu')
  const tensor = tf.zeros([10, 25])
  t.is(probe().tensorBytes, 1000)
  tensor.dispose()
  t.is(probe().tensorBytes, 0)
})
