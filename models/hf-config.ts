import { TroupeError } from '../runtime/kernel/errors.js'
import { ARCHITECTURES, type Architecture, configFault, type DecoderConfig, type Gelu } from './config.js'
import { type Fields, fieldsOf } from './hf-fields.js'
import { readRope } from './hf-rope.js'

/**
 * Reads `config.json` by its `model_type`; what is absent has transformers' own default. Whatever would make it another model
 * than the one that is built here is refused, never ignored. Throws `E_CHECKPOINT` that names `where` and the key.
 */
export function fromHfConfig(json: unknown, where: string): DecoderConfig {
  const fail = (message: string): never => {
    throw new TroupeError('E_CHECKPOINT', message, {
      where,
      hint: `Troupe opens decoders of model_type ${ARCHITECTURES.join(', ')}: see docs/checkpoints.md`,
    })
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    return fail('the configuration is not an object')
  const raw = json as Record<string, unknown>
  const type = raw.model_type as Architecture
  if (!ARCHITECTURES.includes(type))
    return fail(`model_type is ${JSON.stringify(raw.model_type)}, and only ${ARCHITECTURES.join(', ')} can be read`)
  if (raw.quantization_config) fail('quantization_config is set, and quantized weights cannot be read')
  const config = READERS[type](fieldsOf(raw, fail))
  const fault = configFault(config)
  return fault ? fail(fault) : config
}

const READERS: Readonly<Record<Architecture, (fields: Fields) => DecoderConfig>> = {
  llama: (fields) => ({
    ...llamaLike(fields, { bos: 1, eos: 2 }),
    ...(fields.boolean('attention_bias', false) ? { attentionBias: true } : {}),
    ...(fields.boolean('mlp_bias', false) ? { mlpBias: true } : {}),
  }),
  mistral: (fields) => {
    const slidingWindow = fields.raw.sliding_window === null ? undefined : fields.number('sliding_window', 4096)
    return { architecture: 'mistral', ...llamaLike(fields, { bos: 1, eos: 2, keys: 8 }), ...given({ slidingWindow }) }
  },
  qwen2: (fields) => ({ architecture: 'qwen2', ...llamaLike(fields, {}), ...qwenWindow(fields) }),
  qwen3: (fields) => ({
    architecture: 'qwen3',
    ...llamaLike(fields, { headDim: 128 }),
    ...qwenWindow(fields),
    ...(fields.boolean('attention_bias', false) ? { attentionBias: true } : {}),
  }),
  gpt2: readGpt2,
  gpt_neox: readGptNeoX,
}

/** Without the keys whose value is undefined. */
function given<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never
}

/** What Llama, Mistral and Qwen have alike. `defaults`: token ids and sizes that differ between them in transformers. */
function llamaLike(fields: Fields, defaults: { bos?: number; eos?: number; keys?: number; headDim?: number }) {
  fields.only('hidden_act', ['silu', 'swish'], 'silu')
  const { theta: ropeTheta, scaling: ropeScaling, share } = readRope(fields)
  if (share !== undefined && share !== 1) fields.fail(`partial_rotary_factor is ${share}, and only 1 can be read`)
  const heads = fields.number('num_attention_heads')
  const hiddenSize = fields.number('hidden_size')
  return {
    vocabSize: fields.number('vocab_size'),
    hiddenSize,
    intermediateSize: fields.number('intermediate_size'),
    numHiddenLayers: fields.number('num_hidden_layers'),
    numAttentionHeads: heads,
    numKeyValueHeads: fields.number('num_key_value_heads', defaults.keys ?? heads),
    headDim: fields.number('head_dim', defaults.headDim ?? hiddenSize / heads),
    maxPositionEmbeddings: fields.number('max_position_embeddings', 2048),
    rmsNormEps: fields.number('rms_norm_eps', 1e-6),
    ropeTheta,
    ...given({ ropeScaling }),
    tieWordEmbeddings: fields.boolean('tie_word_embeddings', false),
    ...fields.tokens(defaults.bos, defaults.eos),
  }
}

function qwenWindow(fields: Fields): { slidingWindow?: number; windowFromLayer?: number } {
  const isWindowed = fields.boolean('use_sliding_window', false) && fields.raw.sliding_window !== null
  const layers = fields.number('num_hidden_layers')
  const from = isWindowed ? fields.number('max_window_layers', 28) : layers
  const { layer_types: types } = fields.raw
  if (types !== undefined && types !== null) {
    const isPlain = Array.isArray(types) && types.length === layers
    const asExpected = (type: unknown, layer: number) =>
      type === (layer >= from ? 'sliding_attention' : 'full_attention')
    if (!isPlain || !types.every(asExpected)) fields.fail('layer_types is not what max_window_layers says')
  }
  return isWindowed ? { slidingWindow: fields.number('sliding_window', 4096), windowFromLayer: from } : {}
}

const GELUS: Readonly<Record<string, Gelu>> = {
  gelu: 'gelu',
  gelu_new: 'gelu_new',
  gelu_fast: 'gelu_new', // the same function, written otherwise
  gelu_pytorch_tanh: 'gelu_new',
}

function readGpt2(fields: Fields): DecoderConfig {
  fields.only('scale_attn_weights', [true], true)
  fields.only('scale_attn_by_inverse_layer_idx', [false], false)
  fields.only('add_cross_attention', [false], false)
  const hiddenSize = fields.number('n_embd', fields.raw.hidden_size)
  const heads = fields.number('n_head', fields.raw.num_attention_heads)
  return {
    architecture: 'gpt2',
    vocabSize: fields.number('vocab_size'),
    hiddenSize,
    intermediateSize: fields.number('n_inner', 4 * hiddenSize),
    numHiddenLayers: fields.number('n_layer', fields.raw.num_hidden_layers),
    numAttentionHeads: heads,
    numKeyValueHeads: heads,
    headDim: hiddenSize / heads,
    maxPositionEmbeddings: fields.number('n_positions', fields.raw.max_position_embeddings ?? 1024),
    layerNormEps: fields.number('layer_norm_epsilon', 1e-5),
    activation: GELUS[fields.only('activation_function', Object.keys(GELUS), 'gelu_new')]!,
    tieWordEmbeddings: fields.boolean('tie_word_embeddings', true),
    ...fields.tokens(50256, 50256),
  }
}

function readGptNeoX(fields: Fields): DecoderConfig {
  const { theta: ropeTheta, scaling: ropeScaling, share: rotaryShare = 0.25 } = readRope(fields)
  const hiddenSize = fields.number('hidden_size')
  const heads = fields.number('num_attention_heads')
  return {
    architecture: 'gpt_neox',
    vocabSize: fields.number('vocab_size'),
    hiddenSize,
    intermediateSize: fields.number('intermediate_size'),
    numHiddenLayers: fields.number('num_hidden_layers'),
    numAttentionHeads: heads,
    numKeyValueHeads: heads,
    headDim: hiddenSize / heads,
    maxPositionEmbeddings: fields.number('max_position_embeddings', 2048),
    layerNormEps: fields.number('layer_norm_eps', 1e-5),
    ropeTheta,
    ...given({ ropeScaling }),
    rotaryShare,
    useParallelResidual: fields.boolean('use_parallel_residual', true),
    attentionBias: fields.boolean('attention_bias', true),
    activation: GELUS[fields.only('hidden_act', Object.keys(GELUS), 'gelu')]!,
    tieWordEmbeddings: fields.boolean('tie_word_embeddings', false),
    ...fields.tokens(0, 2),
  }
}
