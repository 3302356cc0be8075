import { AsyncLocalStorage } from 'node:async_hooks'
import { spawnSync } from 'node:child_process'
import test from 'ava'
import fc from 'fast-check'
import { createVirtualTime, type VirtualTime } from '../../../runtime/time/virtual.js'

/** Resolves once nothing is left to run. */
function stalled(time: VirtualTime): Promise<void> {
  return new Promise((resolve) => time.onStalled(resolve))
}

test('time jumps from event to event, in the order of time and then of asking', async (t) => {
  const time = createVirtualTime({ startAt: 100 })
  const { clock } = time
  const seen: [string, number][] = []
  const note = (name: string) => () => seen.push([name, clock.now()])
  clock.after(30, note('c'))
  clock.after(10, note('a'))
  clock.after(30, note('d'))
  clock.after(-5, note('now'))
  const cancel = clock.after(20, note('never'))
  clock.after(20, note('b'))
  cancel()
  cancel()
  t.is(clock.now(), 100)
  await stalled(time)
  t.deepEqual(seen, [
    ['now', 100],
    ['a', 110],
    ['b', 120],
    ['c', 130],
    ['d', 130],
  ])
})

test('an event comes after all consequences of the one before, however deep', async (t) => {
  const time = createVirtualTime()
  const seen: string[] = []
  async function* numbers() {
    for (let i = 0; i < 300; i++) yield await Promise.resolve(i)
  }
  async function consequences(name: string) {
    for (let i = 0; i < 2_000; i++) await null
    await new Promise<void>((resolve) => {
      const deeper = (left: number): void => queueMicrotask(() => (left === 0 ? resolve() : deeper(left - 1)))
      deeper(500)
    })
    let sum = 0
    for await (const i of numbers()) sum += i
    await Promise.all(Array.from({ length: 20 }, (_, i) => Promise.resolve().then(async () => void (await i))))
    const nested = Promise.resolve(Promise.resolve(Promise.resolve(sum))).finally(() => {})
    seen.push(`${name}: ${await nested}`)
    queueMicrotask(() => void Promise.resolve().then(() => queueMicrotask(() => seen.push(`${name} last`))))
  }
  time.clock.after(1, () => {
    time.scheduler.hop(() => seen.push('hop of a'))
    void consequences('a')
  })
  time.clock.after(1, () => void consequences('b'))
  time.clock.after(1, () => seen.push('c'))
  await stalled(time)
  t.deepEqual(seen, ['a: 44850', 'a last', 'hop of a', 'b: 44850', 'b last', 'c'])
})

test('hops run in order, each after the reactions of the one before, and before time moves', async (t) => {
  const time = createVirtualTime()
  const { clock, scheduler } = time
  const seen: string[] = []
  clock.after(0, () => seen.push(`event at ${clock.now()}`))
  for (const name of ['a', 'b']) {
    scheduler.hop(() => {
      void Promise.resolve()
        .then(() => {})
        .then(() => seen.push(`reaction of ${name}`))
      scheduler.hop(() => seen.push(`hop of ${name}`))
    })
  }
  await stalled(time)
  t.deepEqual(seen, ['reaction of a', 'reaction of b', 'hop of a', 'hop of b', 'event at 0'])
})

test('while something is held time stands still and hops go on', async (t) => {
  const time = createVirtualTime()
  const { clock, scheduler } = time
  const seen: string[] = []
  const one = time.hold()
  const two = time.hold()
  clock.after(0, () => seen.push('event'))
  scheduler.hop(() => seen.push('hop'))
  const real = () => new Promise<void>((resolve) => setImmediate(resolve))
  for (let i = 0; i < 5; i++) await real()
  t.deepEqual(seen, ['hop'])
  one()
  one()
  for (let i = 0; i < 5; i++) await real()
  t.deepEqual(seen, ['hop'], 'a hold that is released twice counts once')
  scheduler.hop(() => seen.push('another'))
  two()
  await stalled(time)
  t.deepEqual(seen, ['hop', 'another', 'event'])
})

test('of two turns that end at one moment the one that began first comes first, whichever was computed first', async (t) => {
  const time = createVirtualTime()
  const seen: string[] = []
  const turn = (name: string, computed: Promise<void>) => {
    const place = time.reserve()
    const release = time.hold()
    void computed.then(() => {
      time.schedule(5, () => seen.push(`${name} at ${time.clock.now()}`), place)
      release()
    })
  }
  const slow = new Promise<void>((resolve) => setImmediate(() => setImmediate(resolve)))
  turn('slow', slow)
  turn('fast', Promise.resolve())
  time.clock.after(5, () => seen.push('later'))
  await stalled(time)
  t.deepEqual(seen, ['slow at 5', 'fast at 5', 'later'])
})

test('sleep and deadline are virtual; a deadline ends with its work; sleep ends with its signal', async (t) => {
  const time = createVirtualTime()
  const { clock } = time
  const signal = new AbortController()
  const reason = new RangeError('enough')
  clock.after(7, () => signal.abort(reason))
  const woken = clock.sleep(1e6, signal.signal).catch((error: unknown) => [error, clock.now()])
  t.deepEqual(await woken, [reason, 7])
  await t.throwsAsync(clock.sleep(1, AbortSignal.abort(reason)), { is: reason })
  const hour = 3_600_000
  await clock.sleep(hour, new AbortController().signal)
  t.is(clock.now(), 7 + hour)
  await t.throwsAsync(clock.deadline(new Promise(() => {}), 10, 'waiting'), {
    code: 'E_DEADLINE',
    message: 'waiting did not finish within 10 ms',
  })
  t.is(clock.now(), 17 + hour)
  const late = clock.sleep(1).then(() => Promise.reject(new RangeError('x')))
  await t.throwsAsync(clock.deadline(late, 1000, 'x'), { instanceOf: RangeError })
  const inTime = clock.sleep(3).then(() => 'in time')
  t.is(await clock.deadline(inTime, 1000, 'x'), 'in time')
  await stalled(time)
  t.is(clock.now(), 21 + hour, 'deadlines that were met do not keep time going')
})

test('when only weak timers are left the run has stalled: they run before other events and not after', async (t) => {
  const time = createVirtualTime()
  const { clock } = time
  let beats = 0
  const beat = () => {
    beats++
    clock.after(10, beat, { weak: true })
  }
  beat()
  clock.after(35, () => {})
  let stalls = 0
  time.onStalled(() => stalls++)
  await clock.sleep(36)
  t.deepEqual([beats, stalls], [4, 0])
  await stalled(time)
  t.deepEqual([beats, clock.now()], [4, 36])
})

test('a stall is told once, and not while something is held', async (t) => {
  const time = createVirtualTime()
  const seen: string[] = []
  const release = time.hold()
  const wentOn = new Promise<void>((resolve) => {
    time.onStalled(() => {
      seen.push('stalled')
      time.clock.after(1, resolve)
    })
  })
  await new Promise<void>((resolve) => setImmediate(resolve))
  t.deepEqual(seen, [])
  release()
  await wentOn
  await time.clock.sleep(5)
  await new Promise<void>((resolve) => setImmediate(resolve))
  t.deepEqual(seen, ['stalled'])
})

test('nothing runs once it is closed', async (t) => {
  const time = createVirtualTime()
  const seen: number[] = []
  time.clock.after(1, () => {
    seen.push(1)
    time.close()
    time.scheduler.hop(() => seen.push(2))
  })
  time.clock.after(1, () => seen.push(3))
  for (let i = 0; i < 5; i++) await new Promise<void>((resolve) => setImmediate(resolve))
  t.deepEqual(seen, [1])
  t.throws(() => time.clock.after(Number.NaN, () => {}), { code: 'E_INVARIANT' })
})

test('signals and I/O get their chance while virtual time runs', async (t) => {
  const time = createVirtualTime()
  let stop = false
  setImmediate(() => {
    stop = true
  })
  let rounds = 0
  while (!stop) {
    await time.clock.sleep(1)
    rounds++
  }
  t.true(rounds < 1e6)
})

test('who waits on shared memory wakes at the moment of the wake-up, where it is delivered', async (t) => {
  const time = createVirtualTime()
  const { clock } = time
  const words = new Int32Array(new SharedArrayBuffer(4))
  const { waitAsync } = Atomics as unknown as { waitAsync(words: Int32Array, at: number, value: number): Waiting }
  let running = true
  const others = (async () => {
    while (running) await clock.sleep(1)
  })()
  for (let round = 1; round <= 50; round++) {
    const woken = waitAsync(words, 0, round - 1).value.then(() => clock.now())
    const at = clock.now() + 2
    clock.after(2, () => {
      Atomics.add(words, 0, 1)
      Atomics.notify(words, 0)
      time.deliver()
    })
    t.is(await woken, at)
  }
  running = false
  await others
})

interface Waiting {
  readonly value: Promise<string>
}

test('the driver is no part of the actor that happened to wake it', async (t) => {
  const time = createVirtualTime()
  const storage = new AsyncLocalStorage<string>()
  const seen: (string | undefined)[] = []
  await storage.run('waker', async () => {
    time.clock.after(1, () => seen.push(storage.getStore()))
    await time.clock.sleep(2)
    seen.push(storage.getStore())
  })
  t.deepEqual(seen, [undefined, 'waker'])
})

test('what throws is an uncaught exception, what nobody handles a rejection, at the same moment in every run', (t) => {
  const virtual = new URL('../../../runtime/time/virtual.js', import.meta.url).href
  const run = (looks: number) =>
    spawnSync(
      process.execPath,
      [
        '--input-type=module',
        '--eval',
        `const { createVirtualTime } = await import(${JSON.stringify(virtual)})
        const time = createVirtualTime()
        const { clock } = time
        const seen = []
        process.on('uncaughtException', (error) => seen.push(error.message + ' at ' + clock.now()))
        process.on('unhandledRejection', (error) => seen.push(error.message + ' at ' + clock.now()))
        clock.after(3, () => { throw new Error('thrown') })
        clock.after(4, () => void Promise.reject(new Error('rejected')))
        clock.after(5, () => {
          const release = time.hold()
          let looks = ${looks}
          const look = () => (looks-- > 0 ? setImmediate(look) : release())
          look()
        })
        for (let i = 0; i < 1000; i++) await clock.sleep(1)
        console.log(JSON.stringify(seen))`,
      ],
      { encoding: 'utf8' },
    )
  const { stdout, stderr } = run(0)
  t.is(stderr, '')
  t.deepEqual(JSON.parse(stdout), ['thrown at 3', 'rejected at 4'])
  t.is(run(9).stdout, stdout)
})

test('any mix of loops, hops and holds runs the same way every time', async (t) => {
  const loop = fc.record({ ms: fc.integer({ min: 0, max: 3 }), hops: fc.nat(2), holds: fc.boolean(), chain: fc.nat(9) })
  const property = fc.asyncProperty(fc.array(loop, { minLength: 1, maxLength: 6 }), async (loops) => {
    const first = await traceOf(loops, 1)
    t.deepEqual(await traceOf(loops, 7), first)
    t.is(first.length, loops.length * 8)
  })
  await fc.assert(property, { seed: 3, numRuns: 40 })
})

/** Eight rounds of each loop; real computations last `rounds` looks at the event loop. */
async function traceOf(
  loops: readonly { ms: number; hops: number; holds: boolean; chain: number }[],
  looks: number,
): Promise<string[]> {
  const time = createVirtualTime()
  const { clock, scheduler } = time
  const seen: string[] = []
  const hop = () => new Promise<void>((resolve) => scheduler.hop(resolve))
  const finished = loops.map(async ({ ms, hops, holds, chain }, i) => {
    for (let round = 0; round < 8; round++) {
      const place = time.reserve()
      if (holds) {
        const release = time.hold()
        for (let look = 0; look < looks * (1 + ((i * 5) % 3)); look++) await new Promise((go) => setImmediate(go))
        release()
      }
      for (let link = 0; link < chain; link++) await null
      await new Promise<void>((resolve) => time.schedule(ms, resolve, place))
      for (let count = 0; count < hops; count++) await hop()
      seen.push(`${i} at ${clock.now()}`)
    }
  })
  await Promise.all(finished)
  time.close()
  return seen
}
