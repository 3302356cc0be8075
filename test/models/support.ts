import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { loadCheckpoint } from '../../models/checkpoint.js'
import type { DecoderConfig, LlamaConfig } from '../../models/config.js'
import { logitsGraph, weightInputs } from '../../models/graphs.js'
import type { OptimizerOptions } from '../../models/types.js'
import { compile } from '../../runtime/tensor/index.js'

/** The repository's fixtures, from where AVA runs (the repository's root). */
export const fixtures = join(process.cwd(), 'test/fixtures/hf')

export const readFixture = (...path: string[]) => JSON.parse(readFileSync(join(fixtures, ...path), 'utf8'))

/** A few thousand parameters, grouped queries, tied head. */
export const tiny: LlamaConfig = {
  vocabSize: 20,
  hiddenSize: 8,
  intermediateSize: 12,
  numHiddenLayers: 2,
  numAttentionHeads: 4,
  numKeyValueHeads: 2,
  headDim: 4,
  maxPositionEmbeddings: 64,
  rmsNormEps: 1e-5,
  ropeTheta: 10_000,
  tieWordEmbeddings: true,
  bosTokenId: 1,
  eosTokenId: 2,
  padTokenId: 0,
}

export const plainAdam: OptimizerOptions = {
  learningRate: 1e-2,
  beta1: 0.9,
  beta2: 0.95,
  epsilon: 1e-8,
  weightDecay: 0,
  clipNorm: 0,
  warmupSteps: 0,
  schedule: 'constant',
  totalSteps: 0,
  finalFraction: 1,
}

export const tinyLlama = async () => ({
  ...(await loadCheckpoint(join(fixtures, 'tiny-llama'))),
  expected: readFixture('tiny-llama', 'expected.json'),
})

/** Logits [length × vocabulary] of one sequence. */
export async function logitsOf(
  config: DecoderConfig,
  params: Float32Array,
  tokens: Int32Array,
  backend: 'onnx' | 'cpu',
) {
  const graph = compile(logitsGraph(config), { name: 'logits', backend })
  const [logits] = await graph.run([
    ...weightInputs(config, params),
    { dtype: 'int32', shape: [1, tokens.length], data: tokens },
  ])
  await graph.dispose()
  return logits!.data as Float32Array
}

/** Greatest absolute difference; NaN when any value is. */
export function worst(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Number.POSITIVE_INFINITY
  let most = 0
  for (let i = 0; i < actual.length; i++) {
    const difference = Math.abs(actual[i]! - expected[i]!)
    if (Number.isNaN(difference)) return difference
    most = Math.max(most, difference)
  }
  return most
}

export const sum = (values: Iterable<number>) => [...values].reduce((total, value) => total + value, 0)
