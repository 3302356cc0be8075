import { MessageChannel } from 'node:worker_threads'
import test, { type ExecutionContext } from 'ava'
import { InlineBus } from '../../../runtime/channel/inline-wire.js'
import type { Frame } from '../../../runtime/channel/protocol.js'
import { portWire, type Wire } from '../../../runtime/channel/wire.js'
import { realClock, realScheduler } from '../../../runtime/index.js'
import { socketPair } from './sockets.js'
import { DEADLINE_MS } from './support.js'

type Pair = (t: ExecutionContext) => Promise<readonly [Wire, Wire]> | readonly [Wire, Wire]

const kinds: Readonly<Record<string, Pair>> = {
  inline: () => new InlineBus(realScheduler).pair(),
  port: () => {
    const { port1, port2 } = new MessageChannel()
    return [portWire(port1), portWire(port2)]
  },
  'socket, listening': socketPair,
  'socket, connecting': async (t) => (await socketPair(t)).toReversed() as unknown as readonly [Wire, Wire],
}

const data = (message: unknown): Frame => ({ type: 'data', message }) as Frame
const messageOf = (raw: unknown) => (raw as { message: unknown }).message

/** Listens until `count` frames have come. */
function arrivals(wire: Wire, count: number): Promise<unknown[]> {
  const got: unknown[] = []
  const all = new Promise<unknown[]>((resolve) => {
    wire.listen((raw) => {
      got.push(raw)
      if (got.length === count) resolve(got)
    })
  })
  return realClock.deadline(all, DEADLINE_MS, `the arrival of ${count} frames`)
}

const closing = (wire: Wire) =>
  realClock.deadline(new Promise<void>((resolve) => wire.closed?.(resolve)), DEADLINE_MS, 'the end of a wire')

/** Every kind of typed array, each in the middle of a larger buffer. */
const arrays = () => {
  const bytes = new Uint8Array(128).map((_, i) => (i * 37) % 120)
  const kinds = [Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array] as const
  return [
    ...[...kinds, Float32Array, Float64Array, BigInt64Array, BigUint64Array].map(
      (kind) => new kind(bytes.slice().buffer, 16, 4),
    ),
    new DataView(bytes.slice().buffer, 3, 9),
  ]
}

for (const [name, pair] of Object.entries(kinds)) {
  test.serial(`${name}: 100,000 frames arrive in order, in both directions at once`, async (t) => {
    const [left, right] = await pair(t)
    const count = 100_000
    const coming = [arrivals(left, count), arrivals(right, count)]
    for (let i = 0; i < count; i++) {
      left.post(data(i))
      right.post(data(-i))
    }
    const [atLeft, atRight] = await Promise.all(coming)
    t.true(atRight!.every((raw, i) => messageOf(raw) === i))
    t.true(atLeft!.every((raw, i) => messageOf(raw) === -i))
    left.close()
  })

  test.serial(`${name}: what arrives before anybody listens waits`, async (t) => {
    const [left, right] = await pair(t)
    right.post(data('early'))
    right.post(data('still early'))
    // an echo on the way back shows that they have arrived
    left.post(data('ping'))
    await arrivals(right, 1)
    right.post(data('late'))
    t.deepEqual((await arrivals(left, 3)).map(messageOf), ['early', 'still early', 'late'])
    left.close()
  })

  test.serial(
    `${name}: what was posted before the end arrives; the other side is told once, the own side is not`,
    async (t) => {
      const [left, right] = await pair(t)
      const told: string[] = []
      left.closed?.(() => told.push('left'))
      const ended = closing(right)
      const coming = arrivals(right, 2)
      left.post(data(1))
      left.post(data(2))
      left.close()
      left.close()
      left.post(data(3))
      t.deepEqual((await coming).map(messageOf), [1, 2])
      await ended
      right.post(data('into the void'))
      right.close()
      t.deepEqual(told, [])
    },
  )

  test.serial(`${name}: the values of a structured clone survive`, async (t) => {
    const [left, right] = await pair(t)
    const cause = new RangeError('deeper')
    const shared = { name: 'one object' }
    const cycle: Record<string, unknown> = { shared, again: shared }
    cycle.self = cycle
    const value = {
      map: new Map<unknown, unknown>([['a', new Set([1n, undefined])]]),
      date: new Date(1234),
      pattern: /a+/giu,
      error: new TypeError('no', { cause }),
      buffer: Uint8Array.of(1, 2, 3).buffer,
      numbers: [Number.NaN, -0, Number.POSITIVE_INFINITY, 2 ** 53],
      cycle,
    }
    left.post(data(value))
    const got = messageOf((await arrivals(right, 1))[0]) as typeof value
    t.deepEqual(got, value)
    t.true(got.error instanceof TypeError)
    t.is((got.error.cause as Error).message, 'deeper')
    t.is(got.cycle.self, got.cycle)
    t.is(got.cycle.shared, got.cycle.again)
    left.close()
  })

  test.serial(`${name}: typed arrays of every kind, small and large`, async (t) => {
    const [left, right] = await pair(t)
    const large = [
      new Float32Array(50_000).map((_, i) => i / 3),
      new BigInt64Array(20_000).fill(-7n),
      new Uint8Array(0),
    ]
    left.post(data([...arrays(), ...large]))
    t.deepEqual(messageOf((await arrivals(right, 1))[0]), [...arrays(), ...large])
    left.close()
  })

  test.serial(`${name}: buffers that are given up are empty at the sender and whole at the receiver`, async (t) => {
    const [left, right] = await pair(t)
    for (const length of [10, 100_000]) {
      const whole = new Float64Array(length).map((_, i) => i)
      const expected = whole.slice(3)
      left.post(data(whole.subarray(3)), [whole.buffer as ArrayBuffer])
      t.is(whole.length, 0)
      left.post(data(length))
      const [array, behind] = await arrivals(right, 2)
      t.deepEqual(messageOf(array), expected)
      t.is(messageOf(behind), length)
    }
    left.close()
  })

  test.serial(`${name}: what is kept may be written to again at once`, async (t) => {
    const [left, right] = await pair(t)
    const array = new Float32Array(100_000).fill(1)
    left.post(data(array))
    array.fill(2)
    const got = messageOf((await arrivals(right, 1))[0]) as Float32Array
    t.true(got.every((n) => n === 1))
    left.close()
  })

  test.serial(`${name}: what cannot be cloned is refused when it is posted, and nothing of it arrives`, async (t) => {
    const [left, right] = await pair(t)
    left.post(data('before'))
    const buffer = new ArrayBuffer(8)
    const error = t.throws(() => left.post(data({ callback: () => 1 }), [buffer]), { any: true })
    t.is((error as Error).name, 'DataCloneError')
    t.is(buffer.byteLength, 8, 'nothing was taken away')
    left.post(data('after'))
    t.deepEqual((await arrivals(right, 2)).map(messageOf), ['before', 'after'])
    left.close()
  })

  test.serial(`${name}: a frame of 64 MiB`, async (t) => {
    const [left, right] = await pair(t)
    const array = new Float64Array(8 * 1024 * 1024)
    for (let i = 0; i < array.length; i += 1001) array[i] = i
    left.post(data({ array, text: 'x'.repeat(1_000_000) }))
    const got = messageOf((await arrivals(right, 1))[0]) as { array: Float64Array; text: string }
    t.is(got.text.length, 1_000_000)
    t.is(Buffer.compare(Buffer.from(got.array.buffer), Buffer.from(array.buffer)), 0)
    left.close()
  })
}
