import { TroupeError } from '../runtime/kernel/errors.js'

/** What every decoder has, named as in Hugging Face's `config.json` (there in snake_case). */
interface CommonConfig {
  readonly vocabSize: number
  readonly hiddenSize: number
  readonly intermediateSize: number
  readonly numHiddenLayers: number
  readonly numAttentionHeads: number
  readonly numKeyValueHeads: number
  /** Width of one head; need not be hiddenSize / numAttentionHeads. */
  readonly headDim: number
  readonly maxPositionEmbeddings: number
  readonly tieWordEmbeddings: boolean
  readonly bosTokenId: number
  readonly eosTokenId: number
  readonly padTokenId: number
}

/** Frequencies of rotary positions for contexts longer than the model was first trained on. */
export type RopeScaling =
  | { readonly type: 'linear'; readonly factor: number }
  | {
      readonly type: 'llama3'
      readonly factor: number
      readonly lowFreqFactor: number
      readonly highFreqFactor: number
      readonly originalMaxPositionEmbeddings: number
    }

interface RotaryConfig {
  readonly ropeTheta: number
  /** Default none. */
  readonly ropeScaling?: RopeScaling | undefined
}

interface RmsConfig extends CommonConfig, RotaryConfig {
  readonly rmsNormEps: number
}

/** RMSNorm, rotary positions, SwiGLU, grouped queries. The default architecture. */
export interface LlamaConfig extends RmsConfig {
  readonly architecture?: 'llama'
  /** Biases of q, k, v and of the output projection. Default false. */
  readonly attentionBias?: boolean
  /** Biases of gate, up and down. Default false. */
  readonly mlpBias?: boolean
}

interface MistralConfig extends RmsConfig {
  readonly architecture: 'mistral'
  /** Positions that a position sees, itself included. Default all before it. */
  readonly slidingWindow?: number | undefined
}

interface QwenConfig extends RmsConfig {
  readonly slidingWindow?: number | undefined
  /** The first layer with the window (`max_window_layers`). Default 0. */
  readonly windowFromLayer?: number
}

/** Llama with biases of q, k, v. */
interface Qwen2Config extends QwenConfig {
  readonly architecture: 'qwen2'
}

/** Llama with an RMSNorm of each head's query and key. */
interface Qwen3Config extends QwenConfig {
  readonly architecture: 'qwen3'
  readonly attentionBias?: boolean
}

/** What the inner layer of an ungated feed-forward block applies: x·Φ(x), or its approximation by tanh. */
export type Gelu = 'gelu' | 'gelu_new'

/** LayerNorm, learned positions, biases everywhere. */
interface Gpt2Config extends CommonConfig {
  readonly architecture: 'gpt2'
  readonly layerNormEps: number
  /** Default gelu_new. */
  readonly activation?: Gelu
}

/** LayerNorm, rotary positions on part of each head, attention and feed-forward side by side. Pythia is one. */
interface GptNeoXConfig extends CommonConfig, RotaryConfig {
  readonly architecture: 'gpt_neox'
  readonly layerNormEps: number
  /** Share of each head that rotates (`rotary_pct`), in (0, 1]. */
  readonly rotaryShare: number
  readonly useParallelResidual: boolean
  /** Default true. */
  readonly attentionBias?: boolean
  /** Default gelu. */
  readonly activation?: Gelu
}

/** A decoder-only language model. Without `architecture` it is a Llama. */
export type DecoderConfig = LlamaConfig | MistralConfig | Qwen2Config | Qwen3Config | Gpt2Config | GptNeoXConfig

/** Hugging Face's `model_type` of each. */
export const ARCHITECTURES = ['llama', 'mistral', 'qwen2', 'qwen3', 'gpt2', 'gpt_neox'] as const
export type Architecture = (typeof ARCHITECTURES)[number]

export const architectureOf = (config: DecoderConfig): Architecture => config.architecture ?? 'llama'

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
export function configFault(config: DecoderConfig): string | undefined {
  for (const key of SIZES) {
    const value = config[key]
    if (!Number.isSafeInteger(value) || value < 1 || value > MAX_SIZE)
      return `${key} must be an integer from 1 to ${MAX_SIZE}, not ${value}`
  }
  if (config.numHiddenLayers > MAX_LAYERS)
    return `numHiddenLayers must be at most ${MAX_LAYERS}, not ${config.numHiddenLayers}`
  if (config.numAttentionHeads % config.numKeyValueHeads !== 0)
    return `numAttentionHeads (${config.numAttentionHeads}) must be a multiple of numKeyValueHeads (${config.numKeyValueHeads})`
  for (const key of ['bosTokenId', 'eosTokenId', 'padTokenId'] as const) {
    const id = config[key]
    if (!Number.isSafeInteger(id) || id < 0 || id >= config.vocabSize)
      return `${key} must be a token below vocabSize ${config.vocabSize}, not ${id}`
  }
  const positives = config as unknown as Record<string, number | undefined>
  for (const key of ['rmsNormEps', 'layerNormEps', 'ropeTheta'])
    if (key in config && !isPositive(positives[key])) return `${key} must be a positive number, not ${positives[key]}`
  return architectureFault(config)
}

const isPositive = (value: unknown) => typeof value === 'number' && Number.isFinite(value) && value > 0

/** What only some architectures can have wrong. */
function architectureFault(config: DecoderConfig): string | undefined {
  if (!ARCHITECTURES.includes(architectureOf(config)))
    return `architecture must be one of ${ARCHITECTURES.join(', ')}, not ${architectureOf(config)}`
  if (config.architecture === 'gpt2' || config.architecture === 'gpt_neox') {
    const { numAttentionHeads, numKeyValueHeads, headDim, hiddenSize } = config
    if (numKeyValueHeads !== numAttentionHeads || headDim * numAttentionHeads !== hiddenSize)
      return `${config.architecture} needs numKeyValueHeads = numAttentionHeads and headDim = hiddenSize / numAttentionHeads`
    const { activation = 'gelu' } = config
    if (activation !== 'gelu' && activation !== 'gelu_new') return `activation must be gelu or gelu_new`
    if (config.architecture === 'gpt2') return undefined
    const dims = rotaryDims(config)
    if (!(config.rotaryShare <= 1) || dims < 2 || dims % 2 !== 0)
      return `rotaryShare ${config.rotaryShare} of headDim ${headDim} must be an even number of dimensions from 2 to ${headDim}`
  } else if (config.headDim % 2 !== 0) return `headDim must be even for rotary positions, not ${config.headDim}`
  const window = 'slidingWindow' in config ? config.slidingWindow : undefined
  if (window !== undefined && (!Number.isSafeInteger(window) || window < 1))
    return `slidingWindow must be a positive integer, not ${window}`
  return scalingFault(config.ropeScaling)
}

function scalingFault(scaling: RopeScaling | undefined): string | undefined {
  if (!scaling) return undefined
  if (scaling.type !== 'linear' && scaling.type !== 'llama3')
    return `ropeScaling.type must be linear or llama3, not ${(scaling as { type: unknown }).type}`
  for (const [key, value] of Object.entries(scaling))
    if (key !== 'type' && !isPositive(value)) return `ropeScaling.${key} must be a positive number, not ${value}`
  if (scaling.type === 'llama3' && !(scaling.highFreqFactor > scaling.lowFreqFactor))
    return 'ropeScaling.highFreqFactor must be greater than lowFreqFactor'
  return undefined
}

/** Dimensions of each head that rotate. */
export function rotaryDims(config: DecoderConfig): number {
  return config.architecture === 'gpt_neox' ? Math.trunc(config.headDim * config.rotaryShare) : config.headDim
}

/** Throws `E_CONFIG` that names the first wrong value. */
export function checkConfig(config: DecoderConfig): void {
  const fault = configFault(config)
  if (fault) throw new TroupeError('E_CONFIG', `model configuration: ${fault}`, { where: 'model' })
}
