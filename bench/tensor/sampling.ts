import { initParams, openModel } from '../../models/index.js'
import { seededRandom } from '../../runtime/time/index.js'
import type { BenchFigure } from '../figures.js'
import { configOf, SIZES } from './model.js'
import { median, peer } from './peer.js'

const ROUNDS = 3
const REPEATS = 5
const JOB = { batch: 64, promptLength: 16, newTokens: 48, temperature: 0.7, topP: 0.9 } as const

/** Sampling of one batch, prompts read and every token drawn, against transformers' generate(). */
export async function samplingFigures(log: (line: string) => void): Promise<BenchFigure[]> {
  const config = configOf(SIZES.small)
  const figures: BenchFigure[] = []
  for (const threads of [1, 2]) {
    const rounds: { ours: number; other: number | undefined; against: string }[] = []
    for (let round = 0; round < ROUNDS; round++) {
      const other = await peer('generate_hf.py', { ...config, ...JOB, threads, repeats: REPEATS })
      const ours = await tokensPerSecond(threads)
      if ('absent' in other) rounds.push({ ours, other: undefined, against: other.absent })
      else rounds.push({ ours, other: other.tokensPerSecond, against: `generate() of ${other.version}` })
    }
    const ratios = rounds.flatMap(({ ours, other }) => (other === undefined ? [] : [ours / other]))
    const others = rounds.flatMap(({ other }) => (other === undefined ? [] : [other]))
    const ours = median(rounds.map((round) => round.ours))
    log(`sampling, ${threads} threads: ${Math.round(ours)} tokens/s, other side ${others[0] ?? rounds[0]?.against}`)
    figures.push({
      name: `sampling, ${SIZES.small.name}, batch 64, 16 + 48 tokens, ${threads} thread${threads > 1 ? 's' : ''}`,
      unit: 'tokens/s',
      ours,
      other: others.length > 0 ? median(others) : null,
      against: rounds[0]?.against ?? '',
      ratio: ratios.length > 0 ? median(ratios) : null,
      bar: 2,
      aim: 5,
    })
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
    const start = performance.now()
    await model.generate(requests, { temperature, topK: 0, topP, maxNewTokens: newTokens, stopTokens: [] })
    times.push(performance.now() - start)
  }
  await model.dispose()
  return (1000 * JOB.batch * JOB.newTokens) / median(times.slice(1))
}
