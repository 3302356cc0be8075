import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads'
import test from 'ava'
import fc from 'fast-check'
import { toColumns } from '../../../runtime/channel/columns.js'
import { portWire } from '../../../runtime/channel/index.js'
import { readSenderFrame, type SenderFrame } from '../../../runtime/channel/protocol.js'

type Batch = Extract<SenderFrame, { type: 'batch' }>
const batch = (messages: readonly unknown[]): Batch => ({ type: 'batch', seq: 3, messages })
const across = (frame: SenderFrame) => readSenderFrame(structuredClone(frame))

const value = fc.oneof(
  fc.double(),
  fc.integer(),
  fc.string({ unit: 'binary' }),
  fc.boolean(),
  fc.constantFrom(
    null,
    -0,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    '\ud800',
    '"',
    undefined,
    10n,
    [1],
    { a: 1 },
    '__proto__',
  ),
)
const key = fc.oneof(fc.string({ maxLength: 4 }), fc.constantFrom('__proto__', '0', '17', 'constructor', 'toString'))
const mostly = fc.constantFrom<fc.Arbitrary<unknown>>(fc.double(), fc.string(), fc.boolean(), value)

/** Batches of messages that are alike, or nearly so. */
const batches = fc
  .tuple(
    fc.uniqueArray(key, { maxLength: 5 }),
    fc.integer({ min: 6, max: 20 }),
    fc.array(mostly, { minLength: 5, maxLength: 5 }),
  )
  .chain(([keys, count, values]) => {
    const row = fc.tuple(...keys.map((_, i) => values[i] as fc.Arbitrary<unknown>)).map((members) => {
      const message = {}
      keys.forEach((name, i) => {
        Object.defineProperty(message, name, {
          value: members[i],
          enumerable: true,
          writable: true,
          configurable: true,
        })
      })
      return message
    })
    const odd = fc.oneof({ weight: 100, arbitrary: row }, { weight: 1, arbitrary: value })
    return fc.array(odd, { minLength: count, maxLength: count })
  })

test('whatever a batch holds, what arrives as columns is what a clone of it would be', (t) => {
  let packed = 0
  fc.assert(
    fc.property(batches, (messages) => {
      const columns = toColumns(batch(messages))
      if (!columns) return
      packed++
      const arrived = across(columns) as Batch
      const cloned = structuredClone(batch(messages))
      t.deepEqual(arrived, cloned)
      arrived.messages.forEach((message, i) => {
        t.deepEqual(Object.keys(message as object), Object.keys(cloned.messages[i] as object))
        t.is(Object.getPrototypeOf(message), Object.prototype)
      })
    }),
    { numRuns: 2000, seed: 11 },
  )
  t.true(packed > 200, `only ${packed} were packed`)
})

const flat = (extra: (i: number) => object = () => ({})) =>
  Array.from({ length: 12 }, (_, i) => ({ id: i, text: `t${i}`, ok: i % 2 === 0, ...extra(i) }))

test('flat messages that are alike are packed, and anything else is left as it is', (t) => {
  class Point {
    constructor(readonly x: number) {}
  }
  t.is(toColumns(batch(flat()))?.columns.length, 3)
  t.truthy(toColumns(batch(flat((i) => ({ n: [-0, Number.NaN, 0.1][i % 3] })))), 'numbers are kept to the bit')
  const left: Record<string, readonly unknown[]> = {
    few: flat().slice(0, 7),
    nested: flat(() => ({ more: {} })),
    'of other keys': flat((i) => (i === 5 ? { more: 1 } : {})),
    'in another order': [...flat(), { text: 'a', id: 1, ok: true }],
    'of a class': Array.from({ length: 12 }, (_, i) => new Point(i)),
    undefined: flat(() => ({ gone: undefined })),
    'without keys': Array.from({ length: 12 }, () => ({})),
    '-0 among words': flat((i) => ({ mixed: i % 2 ? -0 : 'word' })),
    'with symbols': flat(() => ({ [Symbol('s')]: 1 })),
    primitive: Array.from({ length: 12 }, (_, i) => i),
    null: Array.from({ length: 12 }, () => null),
    proxies: flat().map((message) => new Proxy(message, {})),
  }
  for (const [what, messages] of Object.entries(left)) t.is(toColumns(batch(messages)), undefined, what)
})

test('columns that are none are malformed', (t) => {
  const good = toColumns(batch(flat()))!
  t.is(across(good)?.type, 'batch')
  const bad: object[] = [
    { count: 0 },
    { count: 13 },
    { count: -1 },
    { seq: 0.5 },
    { keys: ['id', 'text'] },
    { keys: ['id', 'text', 7] },
    { keys: ['id', 'text', '__proto__'] },
    { keys: [], columns: [] },
    { columns: [good.columns[0], good.columns[1], '[1,'] },
    { columns: [good.columns[0], good.columns[1], '7'] },
    { columns: [new Float64Array(3), good.columns[1], good.columns[2]] },
    { columns: [new Float32Array(12), good.columns[1], good.columns[2]] },
    { columns: 3 },
  ]
  for (const change of bad) t.is(readSenderFrame({ ...good, ...change }), undefined, JSON.stringify(change))
})

test('a port carries a batch of flat messages as columns, and moves what is to be moved', (t) => {
  const { port1, port2 } = new MessageChannel()
  const wire = portWire(port1)
  wire.post(batch(flat()))
  const data = new Float32Array([1, 2])
  wire.post(batch([...flat(), { data }]), [data.buffer])
  const [first, second] = [receiveMessageOnPort(port2)?.message, receiveMessageOnPort(port2)?.message]
  t.is(first.type, 'columns')
  t.deepEqual(readSenderFrame(first), batch(flat()))
  t.is(second.type, 'batch')
  t.is(data.byteLength, 0)
  wire.close()
})
