import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { BenchFigure } from '../figures.js'
import { echo } from './actors.js'
import { alternate } from './rounds.js'
import { tracedTroupe } from './sides.js'

const BAR_MS = 150
const AIM_MS = 60
const ROUNDS = 9

/** How long it takes until an actor that loads no model is ready in a thread of its own. */
export async function startFigures(log: (line: string) => void): Promise<BenchFigure[]> {
  const sides = await alternate('less', startMs, bareWorkerMs, ROUNDS)
  log(`start: ${sides.ours.toFixed(0)} ms, a bare worker ${sides.other.toFixed(0)} ms`)
  return [
    {
      name: `start of a thread actor, ${BAR_MS} ms ÷ ours`,
      unit: 'ms',
      ours: sides.ours,
      other: BAR_MS,
      against: `${BAR_MS} ms; a bare worker until its first message: ${sides.other.toFixed(0)} ms`,
      ratio: BAR_MS / sides.ours,
      bar: 1,
      aim: BAR_MS / AIM_MS,
    },
  ]
}

async function startMs(): Promise<number> {
  const { troupe } = tracedTroupe('threads')
  troupe.actor(echo, { config: {} })
  try {
    const start = performance.now()
    await troupe.start()
    return performance.now() - start
  } finally {
    await troupe.stop()
  }
}

async function bareWorkerMs(): Promise<number> {
  const start = performance.now()
  const worker = new Worker("require('node:worker_threads').parentPort.postMessage('ready')", { eval: true })
  try {
    await once(worker, 'message')
    return performance.now() - start
  } finally {
    await worker.terminate()
  }
}
