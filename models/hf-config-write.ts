import { architectureOf, type DecoderConfig, type RopeScaling } from './config.js'
import type { Dtype } from './halves.js'
import type { HeadKind } from './head-layout.js'

const CLASSES = {
  llama: 'LlamaForCausalLM',
  mistral: 'MistralForCausalLM',
  qwen2: 'Qwen2ForCausalLM',
  qwen3: 'Qwen3ForCausalLM',
  gpt2: 'GPT2LMHeadModel',
  gpt_neox: 'GPTNeoXForCausalLM',
} as const

const TORCH = { F32: 'float32', BF16: 'bfloat16', F16: 'float16' } as const

/** The dtype of transformers' name for it; F32 for any other. */
export function dtypeNamed(name: unknown): Dtype {
  return name === TORCH.BF16 ? 'BF16' : name === TORCH.F16 ? 'F16' : 'F32'
}

/**
 * `config.json` as transformers writes it for this architecture, keys in order. Rotary settings stand twice: `rope_theta` and
 * `rope_scaling` for transformers 4, `rope_parameters` for transformers 5; likewise `torch_dtype` and `dtype`.
 */
export function toHfConfig(config: DecoderConfig, dtype: Dtype = 'F32', head?: HeadKind): Record<string, unknown> {
  const architecture = architectureOf(config)
  const all: Record<string, unknown> = {
    architectures: [
      head === 'reward'
        ? CLASSES[architecture].replace(/ForCausalLM|LMHeadModel/, 'ForSequenceClassification')
        : CLASSES[architecture],
    ],
    ...(head === 'reward' ? { id2label: { 0: 'LABEL_0' }, label2id: { LABEL_0: 0 } } : {}),
    bos_token_id: config.bosTokenId,
    dtype: TORCH[dtype],
    eos_token_id: config.eosTokenId,
    initializer_range: 0.02,
    model_type: architecture,
    pad_token_id: config.padTokenId,
    tie_word_embeddings: config.tieWordEmbeddings,
    torch_dtype: TORCH[dtype],
    use_cache: true,
    vocab_size: config.vocabSize,
    ...(config.architecture === 'gpt2' ? gpt2Fields(config) : rotaryFields(config)),
  }
  return Object.fromEntries(Object.entries(all).sort(([a], [b]) => (a < b ? -1 : 1)))
}

type Of<A> = Extract<DecoderConfig, { readonly architecture: A }>
type Rotary = Exclude<DecoderConfig, { readonly architecture: 'gpt2' }>

function gpt2Fields(config: Of<'gpt2'>) {
  return {
    activation_function: config.activation ?? 'gelu_new',
    attn_pdrop: 0,
    embd_pdrop: 0,
    layer_norm_epsilon: config.layerNormEps,
    n_embd: config.hiddenSize,
    n_head: config.numAttentionHeads,
    n_inner: config.intermediateSize,
    n_layer: config.numHiddenLayers,
    n_positions: config.maxPositionEmbeddings,
    resid_pdrop: 0,
  }
}

function rotaryFields(config: Rotary) {
  const scaling = config.ropeScaling && scalingFields(config.ropeScaling)
  const sizes = {
    attention_dropout: 0,
    hidden_size: config.hiddenSize,
    intermediate_size: config.intermediateSize,
    max_position_embeddings: config.maxPositionEmbeddings,
    num_attention_heads: config.numAttentionHeads,
    num_hidden_layers: config.numHiddenLayers,
    rope_parameters: { rope_theta: config.ropeTheta, rope_type: 'default', ...scaling },
    ...(scaling ? { rope_scaling: scaling } : {}),
    rope_theta: config.ropeTheta,
  }
  return config.architecture === 'gpt_neox'
    ? { ...sizes, ...neoxFields(config, sizes.rope_parameters) }
    : { ...sizes, ...rmsFields(config) }
}

function neoxFields(config: Of<'gpt_neox'>, rope: object) {
  return {
    attention_bias: config.attentionBias ?? true,
    hidden_act: config.activation ?? 'gelu',
    hidden_dropout: 0,
    layer_norm_eps: config.layerNormEps,
    rope_parameters: { partial_rotary_factor: config.rotaryShare, ...rope },
    rotary_emb_base: config.ropeTheta,
    rotary_pct: config.rotaryShare,
    use_parallel_residual: config.useParallelResidual,
  }
}

function rmsFields(config: Exclude<Rotary, { readonly architecture: 'gpt_neox' }>) {
  const window = 'slidingWindow' in config ? config.slidingWindow : undefined
  const from = 'windowFromLayer' in config ? (config.windowFromLayer ?? 0) : 0
  return {
    ...(config.architecture === 'mistral' || config.architecture === 'qwen2'
      ? {}
      : { attention_bias: config.attentionBias ?? false }),
    head_dim: config.headDim,
    hidden_act: 'silu',
    ...(architectureOf(config) === 'llama' ? { mlp_bias: 'mlpBias' in config && config.mlpBias === true } : {}),
    num_key_value_heads: config.numKeyValueHeads,
    rms_norm_eps: config.rmsNormEps,
    ...(config.architecture === 'mistral' ? { sliding_window: window ?? null } : {}),
    ...(config.architecture === 'qwen2' || config.architecture === 'qwen3'
      ? {
          max_window_layers: window === undefined ? config.numHiddenLayers : from,
          sliding_window: window ?? null,
          use_sliding_window: window !== undefined,
        }
      : {}),
  }
}

function scalingFields(scaling: RopeScaling) {
  if (scaling.type === 'linear') return { rope_type: 'linear', factor: scaling.factor }
  return {
    rope_type: 'llama3',
    factor: scaling.factor,
    high_freq_factor: scaling.highFreqFactor,
    low_freq_factor: scaling.lowFreqFactor,
    original_max_position_embeddings: scaling.originalMaxPositionEmbeddings,
  }
}
