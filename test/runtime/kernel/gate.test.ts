import test from 'ava'
import { from, lastValueFrom, Subject, toArray } from 'rxjs'
import { realClock, realScheduler } from '../../../runtime/index.js'
import type { TurnBegun } from '../../../runtime/kernel/busy-period.js'
import { Gate } from '../../../runtime/kernel/gate.js'
import { FifoLock, sharedThreadLock } from '../../../runtime/kernel/lock.js'
import { createTurn } from '../../../runtime/kernel/turn.js'

const settled = () => new Promise<void>((resolve) => setImmediate(() => setImmediate(resolve)))

function setUp() {
  const world = {
    credit: true,
    halted: false,
    failures: [] as unknown[],
    spans: [] as (TurnBegun & { start: number; end: number })[],
  }
  const gate = new Gate({
    scheduler: realScheduler,
    mayTake: () => world.credit,
    onIdle: () => undefined,
    within: (work) => work(),
  })
  const turn = createTurn({
    role: 'tester',
    clock: realClock,
    gate,
    lock: new FifoLock(),
    halted: () => world.halted,
    onBegin: () => {},
    onEnd: (turn, start, end) => void world.spans.push({ ...turn, start, end }),
    fail: (error) => void world.failures.push(error),
  })
  return { world, gate, turn }
}

function queueOf(items: string[], deliver: (item: string) => void) {
  return {
    kind: 'input' as const,
    get waiting() {
      return items.length > 0
    },
    take: () => deliver(items.shift() ?? 'nothing'),
  }
}

test('inputs take turns, and none is delivered while a turn is wanted', async (t) => {
  const { gate } = setUp()
  const got: string[] = []
  gate.add(queueOf(['a1', 'a2', 'a3'], (item) => got.push(item)))
  gate.add(queueOf(['b1'], (item) => got.push(item)))
  gate.add(queueOf(['c1', 'c2'], (item) => got.push(item)))
  gate.enter()
  gate.open()
  await settled()
  t.deepEqual(got, [])
  gate.leave()
  await settled()
  t.deepEqual(got, ['a1', 'b1', 'c1', 'a2', 'c2', 'a3'])
})

test('without credit nothing is delivered and nothing is generated', async (t) => {
  const { gate, turn, world } = setUp()
  const got: unknown[] = []
  world.credit = false
  turn.generate('numbers', () => [1, 2, 3].values()).subscribe((n) => got.push(n))
  gate.add(queueOf(['a'], (item) => got.push(item)))
  gate.open()
  await settled()
  t.deepEqual(got, [])
  world.credit = true
  gate.poll()
  for (let i = 0; i < 6; i++) await settled()
  t.deepEqual(got, [1, 'a', 2, 3])
})

test('an item is delivered only when the turn of the one before has ended and its result is out', async (t) => {
  const { gate, turn } = setUp()
  const log: string[] = []
  const input = new Subject<string>()
  const releases: (() => void)[] = []
  input
    .pipe(
      turn((item) => {
        log.push(`begin ${item}`)
        return new Promise<string>((resolve) => releases.push(() => resolve(item)))
      }),
    )
    .subscribe((item) => log.push(`out ${item}`))
  gate.add(
    queueOf(['a', 'b'], (item) => {
      log.push(`in ${item}`)
      input.next(item)
    }),
  )
  gate.open()
  await settled()
  t.deepEqual(log, ['in a', 'begin a'])
  releases[0]?.()
  await settled()
  t.deepEqual(log.slice(2), ['out a', 'in b', 'begin b'])
})

test('a turn waits to be ready outside of its busy period, and the item counts as queued', async (t) => {
  const { gate, turn, world } = setUp()
  let release = () => {}
  const ready = () => new Promise<void>((resolve) => (release = resolve))
  const result = lastValueFrom(from([3]).pipe(turn((n) => n + 1, { ready, name: 'add', attributes: (n) => ({ n }) })))
  await settled()
  t.false(gate.idle)
  t.deepEqual(world.spans, [])
  release()
  t.is(await result, 4)
  const [span] = world.spans
  t.deepEqual([span?.name, span?.attributes], ['add', { n: 3 }])
  t.true(span!.queuedAt <= span!.start && span!.start <= span!.end)
  await settled()
  t.true(gate.idle)
})

test('turns never overlap, and keep the order of the stream', async (t) => {
  const { turn } = setUp()
  let running = 0
  const work = async (n: number) => {
    t.is(++running, 1)
    for (let i = 0; i < 5 - n; i++) await Promise.resolve()
    running--
    return n
  }
  const streams = [0, 1].map(() => lastValueFrom(from([1, 2, 3, 4]).pipe(turn(work), toArray())))
  const own = turn.run('own', () => work(0))
  t.deepEqual(await Promise.all([...streams, own]), [[1, 2, 3, 4], [1, 2, 3, 4], 0])
})

test('an error in a turn is passed on, and fails the actor; in a loop of its own it goes to the caller', async (t) => {
  const { gate, turn, world } = setUp()
  const error = new Error('bad')
  const work = (n: number) => {
    if (n === 2) throw error
    return n
  }
  t.is(await lastValueFrom(from([1, 2, 3]).pipe(turn(work))).catch((reason) => reason), error)
  t.deepEqual(world.failures, [error])
  t.is(await turn.run('own', () => work(2)).catch((reason) => reason), error)
  t.is(world.failures.length, 1)
  await settled()
  t.true(gate.idle)
})

test('a loop of its own is given as many items as it says, just before its turn', async (t) => {
  const { gate, turn } = setUp()
  const batch: string[] = []
  const seen: string[][] = []
  gate.enter() // the loop has not rested since the items came
  gate.add(queueOf(['a', 'b', 'c', 'd'], (item) => batch.push(item)))
  gate.open()
  await turn.run('step', () => seen.push([...batch]), { take: 3 })
  await turn.run('step', () => seen.push([...batch]))
  t.deepEqual(seen, [
    ['a', 'b', 'c'],
    ['a', 'b', 'c'],
  ])
})

test('after the halt no turn begins', async (t) => {
  const { turn, world } = setUp()
  world.halted = true
  let ran = false
  void turn.run('late', () => (ran = true))
  from([1])
    .pipe(turn(() => (ran = true)))
    .subscribe()
  await settled()
  t.false(ran)
})

test('leaving a generated stream early returns its iterator', async (t) => {
  const { gate, turn } = setUp()
  let closed = false
  function* forever() {
    try {
      for (let i = 0; ; i++) yield i
    } finally {
      closed = true
    }
  }
  const subscription = turn.generate('forever', forever).subscribe((n) => {
    if (n === 2) subscription.unsubscribe()
  })
  gate.open()
  while (!closed) await settled()
  t.true(gate.idle)
})

test('a shared lock lets one in at a time, in the order in which they asked', async (t) => {
  const lock = sharedThreadLock(realScheduler)
  const log: string[] = []
  const hold = async (name: string) => {
    await lock.acquire()
    log.push(`${name} in`)
    await settled()
    log.push(`${name} out`)
    lock.release()
  }
  await Promise.all(['a', 'b', 'c'].map(hold))
  t.deepEqual(log, ['a in', 'a out', 'b in', 'b out', 'c in', 'c out'])
})
