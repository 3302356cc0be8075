import { MessageChannel } from 'node:worker_threads'
import test from 'ava'
import fc from 'fast-check'
import { InlineBus, portWire } from '../../../runtime/channel/index.js'
import { type Frame, refillAfter } from '../../../runtime/channel/protocol.js'
import { realScheduler } from '../../../runtime/index.js'
import { anInput, anOutput, join, listen, settled, takeAll, takeOne } from './joined.js'

test('credit goes back when a quarter of the window was taken, and at least one by one', (t) => {
  t.deepEqual([1, 2, 4, 7, 8, 64].map(refillAfter), [1, 1, 1, 1, 2, 16])
})

test('what finds no credit waits at the sender, and leaves in one frame when credit comes', async (t) => {
  const { outputs, inputs, frames } = join({ window: 8 })
  const [output, input] = [outputs[0]!, inputs[0]!]
  const { got } = listen(input)
  await settled()
  for (let i = 0; i < 20; i++) output.emit(i)
  await settled()
  t.is(input.depth, 8)
  t.false(output.ready)
  takeOne(input)
  await settled()
  t.is(frames.filter(({ type }) => type === 'grant').length, 1, 'a single item of eight is not worth a frame')
  takeOne(input)
  await settled()
  t.deepEqual(frames.at(-1), { type: 'batch', seq: 8, messages: [8, 9] })
  for (let round = 0; round < 20; round++) {
    takeAll(input)
    await settled()
  }
  t.deepEqual(
    got,
    Array.from({ length: 20 }, (_, i) => i),
  )
  t.true(output.ready)
})

test('nothing is taken before somebody subscribes', async (t) => {
  const { outputs, inputs } = join({})
  await settled()
  outputs[0]!.emit('early')
  await settled()
  t.false(inputs[0]!.waiting)
  const { got } = listen(inputs[0]!)
  takeAll(inputs[0]!)
  t.deepEqual(got, ['early'])
})

test('a message goes to the replica with the most free credit, the first among equals', async (t) => {
  const { outputs, inputs } = join({ receivers: 3, window: 2 })
  const heard = inputs.map(listen)
  await settled()
  for (const item of ['a', 'b', 'c', 'd']) outputs[0]!.emit(item)
  await settled()
  t.deepEqual(
    inputs.map(({ depth }) => depth),
    [2, 1, 1],
  )
  inputs.forEach(takeAll)
  t.deepEqual(
    heard.map(({ got }) => got),
    [['a', 'd'], ['b'], ['c']],
  )
})

test('an input completes when all its senders have, behind everything they sent', async (t) => {
  const { outputs, inputs } = join({ senders: 2, window: 1 })
  const { got, end } = listen(inputs[0]!)
  await settled()
  for (const [i, output] of outputs.entries()) {
    output.emit(`${i}a`)
    output.emit(`${i}b`)
    output.complete()
  }
  for (let round = 0; round < 10 && end.length === 0; round++) {
    t.true(got.length < 4, 'not complete before everything has come')
    await settled()
    takeAll(inputs[0]!)
  }
  t.deepEqual(got, ['0a', '1a', '0b', '1b'])
  t.deepEqual(end, ['complete'])
})

test('an error comes after what was sent before it, and ends the input', async (t) => {
  const { outputs, inputs, heard } = join({ senders: 2 })
  const { got, end } = listen(inputs[0]!)
  await settled()
  outputs[0]!.emit(1)
  outputs[0]!.fail(new Error('broken'))
  outputs[1]!.emit(2)
  await settled()
  takeAll(inputs[0]!)
  t.deepEqual(got, [1])
  t.deepEqual(end, ['error: broken'])
  t.deepEqual(heard, ['ended 0'])
})

test('unsubscribing cancels the senders; what comes later is lost without harm', async (t) => {
  const { outputs, inputs, heard, frames } = join({})
  const { stop, got } = listen(inputs[0]!)
  await settled()
  stop()
  outputs[0]!.emit(1)
  await settled()
  await settled()
  t.true(heard.includes('cancelled'))
  const posted = frames.length
  outputs[0]!.emit(2)
  outputs[0]!.complete()
  await settled()
  t.is(frames.length, posted)
  t.deepEqual(got, [])
  t.true(outputs[0]!.ready, 'nobody listens, so nothing holds the actor')
})

test('one replica that cancels leaves the work to the others', async (t) => {
  const { outputs, inputs, heard } = join({ receivers: 2 })
  const [first, second] = inputs.map(listen)
  await settled()
  first!.stop()
  await settled()
  await settled()
  for (const item of [1, 2, 3]) outputs[0]!.emit(item)
  await settled()
  takeAll(inputs[1]!)
  t.deepEqual(second!.got, [1, 2, 3])
  t.false(heard.includes('cancelled'))
})

test('what a receiver had not done comes to its sibling before the end does, however early the sender ended', async (t) => {
  const { outputs, inputs } = join({ receivers: 2, window: 4, outlived: true })
  const [output, left, right] = [outputs[0]!, inputs[0]!, inputs[1]!]
  const [, second] = inputs.map(listen)
  await settled()
  for (let i = 0; i < 6; i++) output.emit(i)
  output.complete()
  await settled()
  takeAll(right)
  right.tell(true)
  await settled()
  t.deepEqual([second!.got, second!.end], [[1, 3, 5], []])
  left.close()
  output.attach(0, undefined)
  await settled()
  takeAll(right)
  right.tell(true)
  await settled()
  takeAll(right)
  t.deepEqual(second!.got, [1, 3, 5, 0, 2, 4])
  t.deepEqual(second!.end, ['complete'])
})

for (const [overflow, kept, lost] of [
  ['drop-new', [0, 1, 2, 3], [4, 5, 6]],
  ['drop-old', [0, 1, 5, 6], [2, 3, 4]],
] as const) {
  test(`${overflow}: a sender is not held, as many as the window wait, and what is lost is told`, async (t) => {
    const { outputs, inputs, heard } = join({ window: 2, overflow })
    const { got } = listen(inputs[0]!)
    await settled()
    outputs[0]!.emit(0)
    outputs[0]!.emit(1)
    await settled()
    for (let i = 2; i < 7; i++) {
      t.true(outputs[0]!.ready)
      outputs[0]!.emit(i)
    }
    for (let round = 0; round < 4; round++) {
      await settled()
      takeAll(inputs[0]!)
    }
    t.deepEqual(got, [...kept])
    t.deepEqual(
      heard,
      lost.map((n) => `dropped ${n}`),
    )
  })
}

test('fail: one message more than may wait is the failure of its sender', async (t) => {
  const { outputs, inputs } = join({ window: 2, overflow: 'fail' })
  listen(inputs[0]!)
  await settled()
  for (let i = 0; i < 4; i++) outputs[0]!.emit(i)
  t.throws(() => outputs[0]!.emit(4), { code: 'E_CHANNEL', message: 'more than 4 messages wait for credit' })
})

const malformed = [
  undefined,
  7,
  'data',
  {},
  { type: 'data', seq: 0 },
  { type: 'data', message: 1 },
  { type: 'data', seq: -1, message: 1 },
  { type: 'grant', acked: 0, upTo: 3 },
  { type: 'batch', seq: 0, messages: 1 },
  { type: 'batch', seq: 0, messages: [] },
  { type: 'lost', seq: 0 },
  { type: 'error', seq: 0, error: 'bad' },
]

test('a malformed frame is dropped and counted, at either end', async (t) => {
  const { port1, port2 } = new MessageChannel()
  const got: unknown[] = []
  let dropped = 0
  const input = anInput([{ channel: 0, wire: portWire(port2), window: 4 }], {
    violated: (error) => t.fail(error.message),
    malformed: () => void dropped++,
  })
  input.open()
  input.stream.subscribe({ next: (message) => void got.push(message), complete: () => void got.push('complete') })
  for (const frame of malformed) port1.postMessage(frame)
  port1.postMessage({ type: 'data', seq: 0, message: 1 })
  port1.postMessage({ type: 'complete', seq: 1 })
  while (!got.includes('complete')) {
    await settled()
    takeAll(input)
  }
  t.is(dropped, malformed.length)
  t.deepEqual(got, [1, 'complete'])
  input.close()

  const bus = new InlineBus(realScheduler)
  const [near, far] = bus.pair()
  let odd = 0
  const events = {
    credit: () => {},
    cancelled: () => {},
    malformed: () => void odd++,
    failed: () => {},
    dropped: () => {},
  }
  const output = anOutput(events)
  output.connect([{ channel: 0, keep: false, wire: near }], { overflow: 'block', window: 4 })
  const odds = [
    { acked: 0 },
    { acked: 3, upTo: 2 },
    { acked: -1, upTo: 2 },
    { acked: 0, upTo: 0.5 },
    { acked: 1, upTo: 9 },
  ]
  for (const grant of odds) far.post({ type: 'grant', ...grant } as Frame)
  await settled()
  t.is(odd, odds.length)
  t.false(output.ready)
})

test('a sender that exceeds its credit is found out', async (t) => {
  const bus = new InlineBus(realScheduler)
  const [near, far] = bus.pair()
  const codes: string[] = []
  const input = anInput([{ channel: 0, wire: far, window: 1 }], { violated: ({ code }) => void codes.push(code) })
  input.open()
  near.post({ type: 'batch', seq: 0, messages: [1, 2] })
  await settled()
  t.deepEqual(codes, ['E_CHANNEL'])
})

test('whatever is sent and taken when: in order for each pair, once, and never more under way than the window', async (t) => {
  const step = fc.record({ send: fc.nat({ max: 5 }), take: fc.array(fc.nat({ max: 2 }), { maxLength: 6 }) })
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 3 }),
      fc.integer({ min: 1, max: 3 }),
      fc.integer({ min: 1, max: 9 }),
      fc.array(step, { maxLength: 12 }),
      async (senders, receivers, window, steps) => {
        const { outputs, inputs, heard } = join({ senders, receivers, window })
        const streams = inputs.map(listen)
        await settled()
        let sent = 0
        for (const { send, take } of steps) {
          for (let i = 0; i < send; i++) outputs[sent % senders]!.emit({ from: sent % senders, id: sent++ })
          await settled()
          for (const at of take) takeOne(inputs[at % receivers]!)
          t.true(inputs.every((input) => input.depth <= window * senders))
        }
        for (const output of outputs) output.complete()
        while (streams.some(({ end }) => end.length === 0)) {
          inputs.forEach(takeAll)
          await settled()
        }
        const all = streams.flatMap(({ got }) => got as { from: number; id: number }[])
        t.deepEqual(
          all.map(({ id }) => id).sort((a, b) => a - b),
          Array.from({ length: sent }, (_, i) => i),
        )
        for (const { got } of streams) {
          for (let sender = 0; sender < senders; sender++) {
            const ids = (got as typeof all).filter(({ from }) => from === sender).map(({ id }) => id)
            t.deepEqual(
              ids,
              ids.toSorted((a, b) => a - b),
            )
          }
        }
        t.false(heard.includes('E_CHANNEL'))
      },
    ),
    { numRuns: 60, seed: 7 },
  )
})
