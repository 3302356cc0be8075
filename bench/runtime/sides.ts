import { once } from 'node:events'
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads'
import { createTroupe, type RunEvent, realClock, type Troupe } from '../../runtime/index.js'
import type { Span } from './meter.js'
import type { RawTask } from './raw.js'

const DEADLINE_MS = 60_000
const RAW = new URL('./raw.js', import.meta.url)

/** A troupe in threads whose turns and queues are traced, as a run with a run folder has it. */
export function tracedTroupe(stage: 'inline' | 'threads'): { troupe: Troupe; traced: () => number } {
  let traced = 0
  const observe = (event: RunEvent) => {
    if (event.type === 'span') traced++
  }
  return { troupe: createTroupe({ stage, seed: 1, observe }), traced: () => traced }
}

/** Starts the troupe, lets it come to its end, reads off the result and stops it. */
export async function played<T>(troupe: Troupe, read: () => T | Promise<T>): Promise<T> {
  try {
    await troupe.start()
    await realClock.deadline(troupe.done, DEADLINE_MS, 'our side of a comparison')
    return await read()
  } finally {
    await troupe.stop()
  }
}

/** A plain worker thread of the other side. */
export function rawWorker(task: RawTask): Worker {
  const transferList = 'result' in task ? [task.port, task.result] : [task.port]
  return new Worker(RAW, { workerData: task, transferList })
}

/** Items a second from one plain worker thread to another over a port; without a window, with no flow control. */
export function rawRate(kind: 'small' | 'large', window: number | null, limit: number | null, span: Span) {
  return rawPair((port, result) => [
    { work: 'receive', port: port.port2, kind, window, span, result },
    { work: 'send', port: port.port1, kind, limit },
  ])
}

/** Buffers a second that come back to where they were sent from. */
export function rawJuggleRate(span: Span): Promise<number> {
  return rawPair((port, result) => [
    { work: 'juggle', port: port.port2, span, result },
    { work: 'return', port: port.port1 },
  ])
}

/** Two plain worker threads with a port between them, until one of them reports its rate. */
async function rawPair(tasks: (port: MessageChannel, result: MessagePort) => readonly [RawTask, RawTask]) {
  const result = new MessageChannel()
  const workers = tasks(new MessageChannel(), result.port2).map(rawWorker)
  try {
    const failure = Promise.race(workers.map((worker) => once(worker, 'exit'))).then(() => {
      throw new Error('a worker of the other side ended')
    })
    const rate = once(result.port1, 'message').then(([rate]) => rate as number)
    return await realClock.deadline(Promise.race([rate, failure]), DEADLINE_MS, 'the other side of a comparison')
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()))
    result.port1.close()
  }
}
