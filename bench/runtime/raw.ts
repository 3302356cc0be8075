import { type MessagePort, workerData } from 'node:worker_threads'
import { Meter, type Span } from './meter.js'
import { expect, JUGGLED, large, type Small, small } from './payload.js'

/**
 * The other side of the comparisons: what somebody writes who has two worker threads, a port between them and nothing
 * else. One `postMessage` a message; with a window, the receiver gives credit back in the same portions as a channel does.
 */
export type RawTask =
  | {
      readonly work: 'send'
      readonly port: MessagePort
      readonly kind: 'small' | 'large'
      readonly limit: number | null
    }
  | {
      readonly work: 'receive'
      readonly port: MessagePort
      readonly kind: 'small' | 'large'
      readonly window: number | null
      readonly span: Span
      readonly result: MessagePort
    }
  | { readonly work: 'juggle'; readonly port: MessagePort; readonly span: Span; readonly result: MessagePort }
  | { readonly work: 'return'; readonly port: MessagePort }
  | { readonly work: 'echo'; readonly port: MessagePort }

const task = workerData as RawTask
if (task.work === 'send') send(task)
else if (task.work === 'receive') receive(task)
else if (task.work === 'juggle') juggle(task)
else if (task.work === 'return') task.port.on('message', (data: Float32Array<ArrayBuffer>) => move(task.port, data))
else task.port.on('message', (message: Small) => task.port.postMessage(message))

function send({ port, kind, limit }: Extract<RawTask, { work: 'send' }>): void {
  let id = 0
  const one = () => {
    if (kind === 'small') port.postMessage(small(id++))
    else move(port, large(id++))
  }
  if (limit !== null) while (id < limit) one()
  else {
    port.on('message', (credits: number) => {
      for (let i = 0; i < credits; i++) one()
    })
  }
}

function receive({ port, kind, window, span, result }: Extract<RawTask, { work: 'receive' }>): void {
  const meter = new Meter(span)
  const refill = window === null ? Number.POSITIVE_INFINITY : Math.max(1, Math.floor(window / 4))
  let expected = 0
  let owed = 0
  port.on('message', (message: Small | Float32Array) => {
    if (meter.done) return
    expect(kind === 'small' ? (message as Small).id : ((message as Float32Array)[0] ?? Number.NaN), expected++)
    if (meter.tick(kind === 'small' ? undefined : 1)) return result.postMessage(meter.rate)
    if (++owed < refill) return
    port.postMessage(owed)
    owed = 0
  })
  if (window !== null) port.postMessage(window)
}

/** The buffers themselves bound what is in flight: no credit is needed. */
function juggle({ port, span, result }: Extract<RawTask, { work: 'juggle' }>): void {
  const meter = new Meter(span)
  let next = 0
  port.on('message', (data: Float32Array<ArrayBuffer>) => {
    if (meter.done) return
    expect(data[0] ?? Number.NaN, next)
    next = (next + 1) % JUGGLED
    if (meter.tick()) result.postMessage(meter.rate)
    else move(port, data)
  })
  for (let id = 0; id < JUGGLED; id++) move(port, large(id))
}

function move(port: MessagePort, data: Float32Array<ArrayBuffer>): void {
  port.postMessage(data, [data.buffer])
}
