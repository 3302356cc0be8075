import { MessageChannel } from 'node:worker_threads'
import test from 'ava'
import type { RunEvent } from '../../../runtime/index.js'
import { realClock } from '../../../runtime/index.js'
import { type AckFrame, Outbox, type ReportFrame } from '../../../runtime/observe/outbox.js'

const event = (n: number): RunEvent => ({
  type: 'metric',
  actor: { name: 'a', role: 'a', replica: 0 },
  at: 0,
  name: 'n',
  value: n,
})

test('eight batches may be under way; then the actor is behind until one was taken', async (t) => {
  const { port1, port2 } = new MessageChannel()
  const frames: ReportFrame[] = []
  let wake = () => {}
  port2.on('message', (frame: ReportFrame) => {
    frames.push(frame)
    wake()
  })
  const arrived = async (count: number) => {
    while (frames.length < count) await new Promise<void>((resolve) => (wake = resolve))
  }
  let acknowledged = 0
  const outbox = new Outbox(port1, { clock: realClock, onAck: () => acknowledged++ })
  for (let n = 0; n < 256 * 7; n++) outbox.emit(event(n))
  t.false(outbox.behind)
  for (let n = 0; n < 256 * 3; n++) outbox.emit(event(n))
  t.true(outbox.behind)
  await arrived(8)
  t.is(frames.length, 8)
  const ack = (sequence: number) => port2.postMessage({ type: 'ack', sequence } satisfies AckFrame)
  ack(1)
  await arrived(9)
  t.is(acknowledged, 1)
  t.true(outbox.behind, 'the next batch took the place of the first')
  const drained = outbox.drain()
  await arrived(10)
  ack(10)
  await drained
  t.false(outbox.behind)
  const values = frames.flatMap((frame) => (frame.type === 'events' ? frame.events : []))
  t.is(values.length, 2560)
  port1.close()
})
