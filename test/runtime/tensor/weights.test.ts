import { Worker } from 'node:worker_threads'
import test from 'ava'
import {
  createWeightStore,
  layoutOf,
  openWeightStore,
  views,
  type WeightStoreHandle,
} from '../../../runtime/tensor/index.js'

const layout = layoutOf([
  { name: 'a', shape: [2, 3] },
  { name: 'b', shape: [] },
  { name: 'c', shape: [4] },
])
const filled = (value: number) => new Float32Array(layout.total).fill(value)

test('a layout lays arrays out one after another, and views are not copies', (t) => {
  t.is(layout.total, 11)
  t.deepEqual(
    layout.entries.map(({ name, offset, length }) => [name, offset, length]),
    [
      ['a', 0, 6],
      ['b', 6, 1],
      ['c', 7, 4],
    ],
  )
  const flat = Float32Array.from({ length: 11 }, (_, i) => i)
  const named = views(flat, layout)
  t.deepEqual([...(named.get('c') as Float32Array)], [7, 8, 9, 10])
  ;(named.get('b') as Float32Array)[0] = 42
  t.is(flat[6], 42)
  t.throws(() => views(new Float32Array(3), layout), { code: 'E_CONFIG' })
  t.throws(
    () =>
      layoutOf([
        { name: 'a', shape: [1] },
        { name: 'a', shape: [1] },
      ]),
    { code: 'E_CONFIG' },
  )
})

test('a follower gets the newest version, and nothing before the first', (t) => {
  const store = createWeightStore(layout)
  const follower = openWeightStore(store.handle)
  const target = filled(-7)
  t.is(follower.version(), -1)
  t.is(follower.follow(target), -1)
  t.deepEqual(target, filled(-7))
  for (const version of [0, 1, 2, 5, 6, 7, 100]) {
    store.publish(version, filled(version + 0.5))
    t.is(follower.version(), version)
    t.is(follower.follow(target), version)
    t.deepEqual(target, filled(version + 0.5))
  }
})

test("publishing copies: the vector stays the caller's", (t) => {
  const store = createWeightStore(layout)
  const flat = filled(1)
  store.publish(1, flat)
  flat.fill(2)
  const target = filled(0)
  store.follow(target)
  t.deepEqual(target, filled(1))
})

test('versions only go up, and vectors fit', (t) => {
  const store = createWeightStore(layout)
  store.publish(3, filled(3))
  for (const version of [3, 2, -1, 3.5, Number.NaN, 2 ** 31])
    t.throws(() => store.publish(version, filled(0)), { code: 'E_INVARIANT' }, String(version))
  t.throws(() => store.publish(4, new Float32Array(10)), { code: 'E_CONFIG' })
  t.throws(() => store.follow(new Float32Array(12)), { code: 'E_CONFIG' })
  t.is(store.version(), 3)
})

test('a handle that is not one is refused', (t) => {
  const { buffer } = createWeightStore(layout).handle
  const other = createWeightStore(layout).handle.buffer
  new Int32Array(other)[0] = 1
  const bad: unknown[] = [
    undefined,
    {},
    { buffer: new ArrayBuffer(64), layout },
    { buffer },
    { buffer, layout: { entries: [], total: 12345 } },
    { buffer, layout: { entries: [], total: -1 } },
    { buffer, layout: { entries: [null], total: 11 } },
    { buffer, layout: { entries: [{ name: 'a', shape: [2], offset: 10, length: 2 }], total: 11 } },
    { buffer, layout: { entries: [{ name: 'a', shape: [3], offset: 0, length: 2 }], total: 11 } },
    { buffer: new SharedArrayBuffer(buffer.byteLength), layout },
    { buffer: new SharedArrayBuffer(8), layout },
    { buffer: other, layout },
  ]
  for (const [i, handle] of bad.entries())
    t.throws(() => openWeightStore(handle as WeightStoreHandle), { code: 'E_MESSAGE' }, `handle ${i}`)
})

/** Another thread that follows as fast as it can until it sees the last version; it reports torn and backward reads. */
const FOLLOWER = `
  const { parentPort, workerData } = require('node:worker_threads')
  import(workerData.module).then(({ openWeightStore }) => {
    const store = openWeightStore(workerData.handle)
    const target = new Float32Array(store.layout.total)
    let torn = 0, backward = 0, seen = 0, last = -1
    const distinct = new Set()
    parentPort.postMessage('ready')
    while (last < workerData.last) {
      const version = store.follow(target)
      if (version < 0) continue
      if (version < last) backward++
      if (target.some((x) => x !== version)) torn++
      last = version
      distinct.add(version)
      seen++
    }
    parentPort.postMessage({ torn, backward, seen, distinct: distinct.size })
  })
`

test('followers in other threads never see half a version', async (t) => {
  const store = createWeightStore(layoutOf([{ name: 'w', shape: [20_000] }]))
  const last = 4000
  const module = new URL('../../../runtime/tensor/index.js', import.meta.url).href
  const workerData = { handle: store.handle, module, last }
  const workers = [0, 1].map(() => new Worker(FOLLOWER, { eval: true, workerData }))
  const messages = (worker: Worker) =>
    new Promise<unknown>((resolve, reject) => worker.once('message', resolve).once('error', reject))
  await Promise.all(workers.map(messages))
  const reports = workers.map(messages)
  const flat = new Float32Array(store.layout.total)
  for (let version = 0; version <= last; version++) store.publish(version, flat.fill(version))
  for (const report of (await Promise.all(reports)) as { torn: number; backward: number; seen: number }[]) {
    t.is(report.torn, 0)
    t.is(report.backward, 0)
    t.true(report.seen > 0)
  }
  await Promise.all(workers.map((worker) => worker.terminate()))
})

test('atLeast resolves at once, later, and from another thread', async (t) => {
  const store = createWeightStore(layout)
  store.publish(2, filled(2))
  t.is(await store.atLeast(1, { deadlineMs: 1000 }), 2)
  const follower = openWeightStore(store.handle)
  const waiting = follower.atLeast(4, { deadlineMs: 10_000 })
  store.publish(3, filled(3))
  store.publish(5, filled(5))
  t.is(await waiting, 5)
  const code = `
    const { workerData } = require('node:worker_threads')
    import(workerData.module).then(({ openWeightStore }) => {
      const store = openWeightStore(workerData.handle)
      store.publish(9, new Float32Array(store.layout.total))
    })`
  const module = new URL('../../../runtime/tensor/index.js', import.meta.url).href
  const remote = follower.atLeast(9, { deadlineMs: 20_000 })
  new Worker(code, { eval: true, workerData: { handle: store.handle, module } })
  t.is(await remote, 9)
})

test('atLeast passes its deadline with a typed error', async (t) => {
  const store = createWeightStore(layout)
  const error = await t.throwsAsync(() => store.atLeast(1, { deadlineMs: 20 }), { code: 'E_DEADLINE' })
  t.regex(error.message, /version 1 of the weights/)
})

test("atLeast rejects with the signal's reason", async (t) => {
  const store = createWeightStore(layout)
  const reason = new Error('stopped')
  const controller = new AbortController()
  const waiting = store.atLeast(1, { deadlineMs: 10_000, signal: controller.signal })
  controller.abort(reason)
  t.is(await t.throwsAsync(waiting), reason)
  t.is(await t.throwsAsync(() => store.atLeast(1, { deadlineMs: 10_000, signal: controller.signal })), reason)
})
