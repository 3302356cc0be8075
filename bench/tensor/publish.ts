import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { initParams, openModel, paramLayout } from '../../models/index.js'
import { createWeightStore } from '../../runtime/tensor/index.js'
import { realClock, seededRandom } from '../../runtime/time/index.js'
import type { BenchFigure } from '../figures.js'
import { configOf, type Size } from './model.js'
import { elapsedMs, median } from './peer.js'

/** About 100 MB of weights. */
const SIZE: Size = { name: '25 M', vocab: 512, width: 512, layers: 8, heads: 8, intermediate: 1376 }
const ROUNDS = 15
const BAR_GB_S = 5
const DEADLINE_MS = 30_000

/** Weights from one thread to another: published there, followed here; against a plain copy, and against a decode step. */
export async function publishFigures(log: (line: string) => void): Promise<BenchFigure[]> {
  const config = configOf(SIZE)
  const store = createWeightStore(paramLayout(config))
  const random = seededRandom(1, 'publish')
  const params = initParams(config, random)
  const gigabytes = params.byteLength / 1e9
  const publisher = new Worker(PUBLISHER, { eval: true, workerData: { module: STORE, handle: store.handle } })
  const [publishMs, followMs, copyMs]: [number[], number[], number[]] = [[], [], []]
  const target = new Float32Array(params.length)
  for (let version = 0; version < ROUNDS; version++) {
    publishMs.push(await published(publisher, version))
    followMs.push(await elapsedMs(() => store.follow(target)))
    copyMs.push(await elapsedMs(() => params.set(target)))
  }
  await publisher.terminate()
  const stepMs = await decodeStepMs(params)
  const total = median(publishMs) + median(followMs)
  log(
    `publish ${median(publishMs).toFixed(1)} ms, follow ${median(followMs).toFixed(1)} ms, copy ${median(copyMs).toFixed(1)} ms`,
  )
  const rate = (ms: number) => (1000 * gigabytes) / ms
  return [
    {
      name: `publish → followed, ${Math.round(1000 * gigabytes)} MB`,
      unit: 'GB/s',
      ours: rate(total),
      other: BAR_GB_S,
      against: `${BAR_GB_S} GB/s; each of the two copies alone: ${rate(median(publishMs)).toFixed(1)} and ${rate(median(followMs)).toFixed(1)}`,
      ratio: rate(total) / BAR_GB_S,
      bar: 1,
      aim: rate(median(copyMs)) / BAR_GB_S,
    },
    {
      name: 'pause of a sampler that follows',
      unit: 'ms',
      ours: median(followMs),
      other: stepMs,
      against: 'one decode step of the same model, 64 rows, one thread',
      ratio: stepMs / median(followMs),
      bar: 1,
      aim: null,
    },
  ]
}

const STORE = new URL('../../runtime/tensor/index.js', import.meta.url).href

/** Publishes a version whenever it is told its number, and answers with the milliseconds it took. */
const PUBLISHER = `
  const { parentPort, workerData } = require('node:worker_threads')
  import(workerData.module).then(({ openWeightStore }) => {
    const store = openWeightStore(workerData.handle)
    const params = new Float32Array(store.layout.total).fill(1)
    parentPort.on('message', (version) => {
      params.fill(version)
      const start = performance.now()
      store.publish(version, params)
      parentPort.postMessage(performance.now() - start)
    })
  })
`

function published(worker: Worker, version: number): Promise<number> {
  const answer = once(worker, 'message') as Promise<[ms: number]> // rejects with the worker's error
  worker.postMessage(version)
  return realClock.deadline(
    answer.then(([ms]) => ms),
    DEADLINE_MS,
    'publishing a version',
  )
}

/** One decode step of 64 rows: what 17 new tokens take more than 1, divided by 16. */
async function decodeStepMs(params: Float32Array): Promise<number> {
  const config = configOf(SIZE)
  const random = seededRandom(2, 'publish')
  const model = openModel(config, params, { backend: 'onnx', threads: 1, batch: 64 })
  const requests = Array.from({ length: 64 }, (_, row) => ({
    prompt: Int32Array.from({ length: 16 }, () => random.int(config.vocabSize)),
    n: 1,
    random: random.stream(row),
  }))
  const whole = async (maxNewTokens: number) => {
    const options = { temperature: 1, topK: 0, topP: 1, maxNewTokens, stopTokens: [] }
    await model.generate(requests, options)
    return elapsedMs(() => model.generate(requests, options))
  }
  const stepMs = ((await whole(17)) - (await whole(1))) / 16
  await model.dispose()
  return stepMs
}
