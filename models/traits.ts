import { type DecoderConfig, type Gelu, type RopeScaling, rotaryDims } from './config.js'
import { inverseFrequencies } from './rotary.js'

/** What the decoder asks of a configuration, whatever the architecture. */
export interface Traits {
  /** RMSNorm has a gain, LayerNorm a gain and a bias. */
  readonly norm: 'rms' | 'layer'
  readonly normEps: number
  /** silu: silu(gate) · up. The others have no gate. */
  readonly activation: 'silu' | Gelu
  readonly biases: { readonly qkv: boolean; readonly out: boolean; readonly mlp: boolean }
  /** RMSNorm of each head's query and key, before rotary positions. */
  readonly headNorms: boolean
  /** Attention and feed-forward read the same input and are added together. */
  readonly isParallel: boolean
  /** Radians a position for each rotated pair of a head's dimensions; undefined where positions are learned vectors. */
  readonly frequencies: Float64Array | undefined
  /** Positions that a position of a layer sees, itself included; undefined is all before it. */
  readonly windowOf: (layer: number) => number | undefined
}

const everywhere = (value: boolean) => ({ qkv: value, out: value, mlp: value })

export function traitsOf(config: DecoderConfig): Traits {
  if (config.architecture === 'gpt2')
    return {
      norm: 'layer',
      normEps: config.layerNormEps,
      activation: config.activation ?? 'gelu_new',
      biases: everywhere(true),
      headNorms: false,
      isParallel: false,
      frequencies: undefined,
      windowOf: () => undefined,
    }
  const frequencies = rotaryFrequencies(rotaryDims(config), config.ropeTheta, config.ropeScaling)
  if (config.architecture === 'gpt_neox') {
    const attention = config.attentionBias ?? true
    return {
      norm: 'layer',
      normEps: config.layerNormEps,
      activation: config.activation ?? 'gelu',
      biases: { qkv: attention, out: attention, mlp: true },
      headNorms: false,
      isParallel: config.useParallelResidual,
      frequencies,
      windowOf: () => undefined,
    }
  }
  const attention = 'attentionBias' in config && config.attentionBias === true
  const window = 'slidingWindow' in config ? config.slidingWindow : undefined
  const windowFrom = 'windowFromLayer' in config ? (config.windowFromLayer ?? 0) : 0
  return {
    norm: 'rms',
    normEps: config.rmsNormEps,
    activation: 'silu',
    biases: {
      qkv: attention || config.architecture === 'qwen2',
      out: attention,
      mlp: 'mlpBias' in config && config.mlpBias === true,
    },
    headNorms: config.architecture === 'qwen3',
    isParallel: false,
    frequencies,
    windowOf: (layer) => (layer >= windowFrom ? window : undefined),
  }
}

/**
 * Frequencies of rotary positions, scaled. `linear` divides all by the factor (Chen et al. 2023);
 * `llama3` divides those whose wavelength exceeds the original context / lowFreqFactor, leaves those below the original
 * context / highFreqFactor, and blends between (Llama 3.1, as in transformers).
 */
function rotaryFrequencies(dims: number, theta: number, scaling: RopeScaling | undefined): Float64Array {
  const plain = inverseFrequencies(dims, theta)
  if (!scaling) return plain
  if (scaling.type === 'linear') return plain.map((frequency) => frequency / scaling.factor)
  const { factor, lowFreqFactor, highFreqFactor, originalMaxPositionEmbeddings } = scaling
  return plain.map((frequency) => {
    const turns = (originalMaxPositionEmbeddings * frequency) / (2 * Math.PI) // in the original context
    const kept = Math.min(1, Math.max(0, (turns - lowFreqFactor) / (highFreqFactor - lowFreqFactor)))
    return ((1 - kept) * frequency) / factor + kept * frequency
  })
}
