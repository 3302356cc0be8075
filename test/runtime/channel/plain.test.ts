import test from 'ava'
import fc from 'fast-check'
import { cloneFrame } from '../../../runtime/channel/clone-frame.js'
import { clonePlain, NOT_PLAIN } from '../../../runtime/channel/plain.js'
import type { Frame } from '../../../runtime/channel/protocol.js'

const anything = fc.anything({
  withBigInt: true,
  withDate: true,
  withMap: true,
  withNullPrototype: true,
  withObjectString: true,
  withSet: true,
  withSparseArray: true,
  withTypedArray: true,
  withBoxedValues: true,
  maxDepth: 3,
})

test('a clone by hand is what the structured clone gives, or none', (t) => {
  let plain = 0
  fc.assert(
    fc.property(anything, (value) => {
      const copy = clonePlain(value)
      if (copy === NOT_PLAIN) return
      plain++
      const cloned: unknown = structuredClone(value)
      t.deepEqual(copy, cloned)
      t.deepEqual(Reflect.ownKeys(Object(copy)), Reflect.ownKeys(Object(cloned)))
      if (typeof value === 'object' && value !== null) t.not(copy, value)
    }),
    { numRuns: 3000, seed: 5 },
  )
  t.true(plain > 500, `only ${plain} were plain`)
})

test('what plain data is not is left to the structured clone', (t) => {
  const shared = { a: 1 }
  const circle: Record<string, unknown> = {}
  circle.self = circle
  const named = Object.assign([1, 2], { name: 'list' })
  class Point {
    x = 1
  }
  const strange: Record<string, unknown> = {
    'the same object twice': { one: shared, two: shared },
    'a circle': circle,
    'a hole': { list: new Array(3) },
    'a list with a name': { named },
    'a class': new Point(),
    'no prototype': Object.create(null),
    'a symbol as a key': { [Symbol('s')]: 1 },
    'a proxy': { inner: new Proxy({}, {}) },
    'a function': { call: () => 1 },
    'a symbol': { symbol: Symbol('s') },
    'a date': { at: new Date(0) },
    'a map': new Map(),
    'an error': new Error('bad'),
    'much that is nested': { list: Array.from({ length: 40 }, (_, id) => ({ id })) },
  }
  for (const [what, value] of Object.entries(strange)) t.is(clonePlain(value), NOT_PLAIN, what)
})

test('a key named __proto__ stays a key', (t) => {
  const value: unknown = JSON.parse('{"__proto__": {"a": [1]}, "b": 2}')
  const copy = clonePlain(value) as object
  t.is(Object.getPrototypeOf(copy), Object.prototype)
  t.deepEqual(Object.entries(copy), Object.entries(structuredClone(value) as object))
})

test('a frame within one thread arrives as it would in another', (t) => {
  const message = { id: 1, list: [{ a: 1 }, { a: 2 }], more: { text: 'x' } }
  const frames: Frame[] = [
    { type: 'data', seq: 0, message },
    { type: 'data', seq: 0, message: new Map([[1, message]]) },
    { type: 'batch', seq: 1, messages: [message, 7, null, message] },
    { type: 'batch', seq: 1, messages: [message, new Set([message])] },
    { type: 'error', seq: 2, error: { name: 'Error', message: 'bad' } },
    { type: 'lost', seq: 3, count: 1 },
    { type: 'grant', acked: 1, upTo: 4 },
  ]
  for (const frame of frames) t.deepEqual(cloneFrame(frame), structuredClone(frame))
  const copy = cloneFrame({ type: 'data', seq: 0, message }) as { message: typeof message }
  copy.message.list[0]!.a = 9
  t.is(message.list[0]!.a, 1)
  const data = new Float32Array(4)
  const moved = cloneFrame({ type: 'data', seq: 0, message: { data } }, [data.buffer])
  t.deepEqual(moved, { type: 'data', seq: 0, message: { data: new Float32Array(4) } })
  t.is(data.byteLength, 0)
  const refused = () => cloneFrame({ type: 'data', seq: 0, message: { call: () => 1 } })
  t.is(nameOfError(refused), 'DataCloneError')
})

function nameOfError(work: () => unknown): string | undefined {
  try {
    work()
    return undefined
  } catch (error) {
    return (error as DOMException).name
  }
}
