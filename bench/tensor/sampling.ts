import { initParams, openModel } from '../../models/index.js'
import { seededRandom } from '../../runtime/time/index.js'
import type { BenchFigure } from '../figures.js'
import { configOf, SIZES } from './model.js'
import { beside, elapsedMs, median } from './peer.js'

const REPEATS = 5
const JOB = { batch: 64, promptLength: 16, newTokens: 48, temperature: 0.7, topP: 0.9 } as const

/** Sampling of one batch, prompts read and every token drawn, against transformers' generate(). */
export async function samplingFigures(log: (line: string) => void): Promise<BenchFigure[]> {
  const config = configOf(SIZES.small)
  const figures: BenchFigure[] = []
  for (const threads of [1, 2]) {
    const spec = { ...config, ...JOB, threads, repeats: REPEATS }
    const figure = {
      name: `sampling, ${SIZES.small.name}, batch 64, 16 + 48 tokens, ${threads} thread${threads > 1 ? 's' : ''}`,
      ...(await beside('generate_hf.py', spec, 'generate()', () => tokensPerSecond(threads))),
      bar: 2,
      aim: 5,
    }
    log(`${figure.name}: ${Math.round(figure.ours)} tokens/s, other side ${figure.other ?? figure.against}`)
    figures.push(figure)
  }
  return figures
}

/** Median over batches, after one that is not counted. */
async function tokensPerSecond(threads: number): Promise<number> {
  const config = configOf(SIZES.small)
  const random = seededRandom(1, 'sampling')
  const model = openModel(config, initParams(config, random), { backend: 'onnx', threads, batch: JOB.batch })
  const times: number[] = []
  for (let repeat = 0; repeat <= REPEATS; repeat++) {
    const requests = Array.from({ length: JOB.batch }, (_, row) => ({
      prompt: Int32Array.from({ length: JOB.promptLength }, () => random.int(config.vocabSize)),
      n: 1,
      random: random.stream(repeat, row),
    }))
    const { temperature, topP, newTokens } = JOB
    const options = { temperature, topK: 0, topP, maxNewTokens: newTokens, stopTokens: [] }
    times.push(await elapsedMs(() => model.generate(requests, options)))
  }
  await model.dispose()
  return (1000 * JOB.batch * JOB.newTokens) / median(times.slice(1))
}
