import { TroupeError } from '../runtime/kernel/errors.js'

/** A Llama-family decoder, named as in Hugging Face's `config.json` (there in snake_case). */
export interface LlamaConfig {
  readonly vocabSize: number
  readonly hiddenSize: number
  readonly intermediateSize: number
  readonly numHiddenLayers: number
  readonly numAttentionHeads: number
  readonly numKeyValueHeads: number
  /** Default hiddenSize / numAttentionHeads. */
  readonly headDim: number
  readonly maxPositionEmbeddings: number
  readonly rmsNormEps: number
  readonly ropeTheta: number
  readonly tieWordEmbeddings: boolean
  readonly bosTokenId: number
  readonly eosTokenId: number
  readonly padTokenId: number
}

const SIZES = [
  'vocabSize',
  'hiddenSize',
  'intermediateSize',
  'numHiddenLayers',
  'numAttentionHeads',
  'numKeyValueHeads',
  'headDim',
  'maxPositionEmbeddings',
] as const

/** Greatest value of any size in a configuration: far above any model that fits, and products stay exact integers. */
const MAX_SIZE = 2 ** 24

/** Greatest number of layers, so that listing the parameters of a false configuration ends. */
const MAX_LAYERS = 1024

/**
 * What is wrong with a configuration, in words, or undefined. Kept apart from {@link checkConfig} because a checkpoint
 * reports the same faults as `E_CHECKPOINT` with the file's name.
 */
export function configFault(config: LlamaConfig): string | undefined {
  for (const key of SIZES) {
    const value = config[key]
    if (!Number.isSafeInteger(value) || value < 1 || value > MAX_SIZE)
      return `${key} must be an integer from 1 to ${MAX_SIZE}, not ${value}`
  }
  if (config.numHiddenLayers > MAX_LAYERS)
    return `numHiddenLayers must be at most ${MAX_LAYERS}, not ${config.numHiddenLayers}`
  if (config.headDim % 2 !== 0) return `headDim must be even for rotary positions, not ${config.headDim}`
  if (config.numAttentionHeads % config.numKeyValueHeads !== 0)
    return `numAttentionHeads (${config.numAttentionHeads}) must be a multiple of numKeyValueHeads (${config.numKeyValueHeads})`
  for (const key of ['rmsNormEps', 'ropeTheta'] as const)
    if (!Number.isFinite(config[key]) || config[key] <= 0) return `${key} must be a positive number, not ${config[key]}`
  for (const key of ['bosTokenId', 'eosTokenId', 'padTokenId'] as const) {
    const id = config[key]
    if (!Number.isSafeInteger(id) || id < 0 || id >= config.vocabSize)
      return `${key} must be a token below vocabSize ${config.vocabSize}, not ${id}`
  }
  return undefined
}

/** Throws `E_CONFIG` that names the first wrong value. */
export function checkConfig(config: LlamaConfig): void {
  const fault = configFault(config)
  if (fault) throw new TroupeError('E_CONFIG', `model configuration: ${fault}`, { where: 'model' })
}
