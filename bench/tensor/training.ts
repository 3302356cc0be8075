import * as tf from '@tensorflow/tfjs-core'
import { compile, type HostTensor } from '../../runtime/tensor/index.js'
import type { BenchFigure } from '../figures.js'
import { BATCH, operationsOf, SIZES, type Size, trainingOf } from './model.js'
import { beside, elapsedMs, median } from './peer.js'

const ROUNDS = 3
const SECONDS = 4
const WARM_STEPS = 3
const LEAST_STEPS = 5
const COMPILE_BAR_S = 0.5
const COMPILE_AIM_S = 0.2

type Log = (line: string) => void

/** Training steps a second of both sides, in alternating rounds; the ratio is the median of the rounds' ratios. */
export async function trainingFigures(log: Log): Promise<BenchFigure[]> {
  const figures: BenchFigure[] = []
  for (const size of [SIZES.small, SIZES.medium, SIZES.large])
    for (const threads of [1, 2]) {
      const spec = { ...size, ...BATCH, threads, seconds: SECONDS }
      const figure = {
        name: `training step, ${size.name}, ${threads} thread${threads > 1 ? 's' : ''}`,
        ...(await beside('train_torch.py', spec, 'PyTorch eager', () => tokensPerSecond(size, threads))),
        bar: 0.9,
        aim: size === SIZES.large ? 1.1 : 1.2,
      }
      log(`${figure.name}: ${Math.round(figure.ours)} tokens/s, other side ${figure.other ?? figure.against}`)
      figures.push(figure)
    }
  return figures
}

/** Median over steps, after a few that are not counted. */
async function tokensPerSecond(size: Size, threads: number): Promise<number> {
  const { trainer, batch } = trainingOf(size, threads)
  for (let step = 0; step < WARM_STEPS; step++) await trainer.step(batch)
  const times: number[] = []
  const end = performance.now() + 1000 * SECONDS
  while (performance.now() < end || times.length < LEAST_STEPS) times.push(await elapsedMs(() => trainer.step(batch)))
  await trainer.dispose()
  return (1000 * BATCH.rows * BATCH.length) / median(times)
}

/** How much of a plain product's rate (a square matrix, the largest of the model's sizes) a whole training step reaches. */
export async function gemmFigures(log: Log): Promise<BenchFigure[]> {
  const figures: BenchFigure[] = []
  for (const size of [SIZES.medium, SIZES.large]) {
    const ratios: number[] = []
    const [step, plain]: [number[], number[]] = [[], []]
    for (let round = 0; round < ROUNDS; round++) {
      plain.push(await plainRate())
      const tokens = await tokensPerSecond(size, 1)
      step.push((operationsOf(size) * tokens) / (BATCH.rows * BATCH.length) / 1e9)
      ratios.push(step[round]! / plain[round]!)
    }
    figures.push({
      name: `fraction of a plain product's rate, width ${size.width}`,
      unit: 'GFLOP/s',
      ours: median(step),
      other: median(plain),
      against: 'Gemm 1024 × 1024 × 1024 of ONNX Runtime, one thread',
      ratio: median(ratios),
      bar: 0.6,
      aim: 0.75,
    })
    log(`width ${size.width}: ${median(step).toFixed(0)} of ${median(plain).toFixed(0)} GFLOP/s`)
  }
  return figures
}

/** GFLOP/s of one product of two square matrices on one thread. */
async function plainRate(): Promise<number> {
  const n = 1024
  const product = compile(([a, b]) => [tf.sum(tf.matMul(a as tf.Tensor2D, b as tf.Tensor2D, false, true))], {
    name: 'gemm',
  })
  const matrix = (seed: number): HostTensor => ({
    dtype: 'float32',
    shape: [n, n],
    data: Float32Array.from({ length: n * n }, (_, i) => Math.sin(i * seed)),
  })
  const inputs = [matrix(1), matrix(2)]
  await product.run(inputs)
  const times: number[] = []
  for (let i = 0; i < 40; i++) times.push(await elapsedMs(() => product.run(inputs)))
  await product.dispose()
  return (2 * n ** 3) / median(times) / 1e6
}

/** From the first step of a new shape, less a later step of the same shape. */
export async function compileFigures(log: Log): Promise<BenchFigure[]> {
  const figures: BenchFigure[] = []
  for (const size of [SIZES.small, SIZES.medium, SIZES.large]) {
    const seconds: number[] = []
    for (let round = 0; round < ROUNDS; round++) {
      const { trainer, batch } = trainingOf(size, 1)
      const times: number[] = []
      for (let step = 0; step < 4; step++) times.push(await elapsedMs(() => trainer.step(batch)))
      await trainer.dispose()
      seconds.push((times[0]! - median(times.slice(1))) / 1000)
    }
    const ours = median(seconds)
    log(`first step of a shape, ${size.name}: ${ours.toFixed(2)} s more than the next`)
    figures.push({
      name: `compile one training shape, ${size.name}`,
      unit: 's',
      ours,
      other: COMPILE_BAR_S,
      against: `${COMPILE_BAR_S} s`,
      ratio: COMPILE_BAR_S / ours,
      bar: 1,
      aim: COMPILE_BAR_S / COMPILE_AIM_S,
    })
  }
  return figures
}
