import { MessageChannel } from 'node:worker_threads'
import type { BenchFigure } from '../figures.js'
import { echo } from './actors.js'
import { expect, type Small, small } from './payload.js'
import { alternate, figure } from './rounds.js'
import { rawWorker, tracedTroupe } from './sides.js'

const WARM_UP = 1000
const ROUND_TRIPS = 5000

/** One question after another from the main thread: its answer is awaited before the next. */
export async function askFigures(log: (line: string) => void): Promise<BenchFigure[]> {
  const { troupe } = tracedTroupe('threads')
  const actor = troupe.actor(echo, { config: {} })
  const { port1, port2 } = new MessageChannel()
  const worker = rawWorker({ work: 'echo', port: port2 })
  await troupe.start()
  try {
    let settle: (answer: Small) => void = () => {}
    port1.on('message', (answer: Small) => settle(answer))
    const raw = (message: Small) =>
      new Promise<Small>((resolve) => {
        settle = resolve
        port1.postMessage(message)
      })
    const sides = await alternate(
      'less',
      () => microseconds(actor.ask.echo),
      () => microseconds(raw),
    )
    log(`ask: ${sides.ours.toFixed(1)} µs, raw round trip ${sides.other.toFixed(1)} µs`)
    return [
      figure(sides, {
        name: 'ask round trip, raw time ÷ ours (bar: twice raw)',
        unit: 'µs',
        against: 'a message to a worker thread and back over a port',
        bar: 1 / 2,
        aim: 1 / 1.3,
      }),
    ]
  } finally {
    port1.close()
    await worker.terminate()
    await troupe.stop()
  }
}

/** Of one round trip. */
async function microseconds(ask: (message: Small) => Promise<Small>): Promise<number> {
  for (let id = 0; id < WARM_UP; id++) await ask(small(id))
  const start = performance.now()
  for (let id = 0; id < ROUND_TRIPS; id++) expect((await ask(small(id))).id, id)
  return (1000 * (performance.now() - start)) / ROUND_TRIPS
}
