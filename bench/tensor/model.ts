import type { LlamaConfig } from '../../models/config.js'
import { createTrainer, initParams, nllLoss, type OptimizerOptions } from '../../models/index.js'
import { seededRandom } from '../../runtime/time/index.js'

/** A Llama decoder and a batch, as both sides build them. */
export interface Size {
  readonly name: string
  readonly vocab: number
  readonly width: number
  readonly layers: number
  readonly heads: number
  readonly intermediate: number
}

export const SIZES = {
  small: { name: '0.86 M', vocab: 512, width: 128, layers: 4, heads: 4, intermediate: 344 },
  medium: { name: '3.3 M', vocab: 512, width: 256, layers: 4, heads: 4, intermediate: 688 },
  large: { name: '19 M', vocab: 512, width: 512, layers: 6, heads: 8, intermediate: 1376 },
} as const satisfies Record<string, Size>

export function configOf(size: Size): LlamaConfig {
  return {
    vocabSize: size.vocab,
    hiddenSize: size.width,
    intermediateSize: size.intermediate,
    numHiddenLayers: size.layers,
    numAttentionHeads: size.heads,
    numKeyValueHeads: size.heads,
    headDim: size.width / size.heads,
    maxPositionEmbeddings: 512,
    rmsNormEps: 1e-5,
    ropeTheta: 10_000,
    tieWordEmbeddings: true,
    bosTokenId: 1,
    eosTokenId: 2,
    padTokenId: 0,
  }
}

export const BATCH = { rows: 16, length: 64 } as const

const ADAM: OptimizerOptions = {
  learningRate: 1e-4,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  weightDecay: 0.01,
  clipNorm: 1,
  warmupSteps: 0,
  schedule: 'constant',
  totalSteps: 0,
  finalFraction: 1,
}

/** A trainer on mean negative log-likelihood and a batch of random tokens, every one but the first a target. */
export function trainingOf(size: Size, threads: number) {
  const config = configOf(size)
  const random = seededRandom(1, 'bench', size.name)
  const params = initParams(config, random)
  const options = { optimizer: ADAM, engine: { backend: 'onnx', threads }, rows: BATCH.rows } as const
  const trainer = createTrainer(config, params, nllLoss, options)
  const batch = Array.from({ length: BATCH.rows }, () => ({
    tokens: Int32Array.from({ length: BATCH.length }, () => random.int(size.vocab)),
    promptLength: 1,
  }))
  return { trainer, batch }
}

/** Floating-point operations of one training step: 6 a weight and token, and attention's products. */
export function operationsOf({ vocab, width, layers, intermediate }: Size): number {
  const tokens = BATCH.rows * BATCH.length
  const weights = layers * (4 * width * width + 3 * width * intermediate) + vocab * width
  const attention = layers * BATCH.rows * BATCH.length * BATCH.length * width * 2
  return 6 * weights * tokens + 6 * attention
}
