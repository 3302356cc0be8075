import { TroupeError } from '../runtime/kernel/errors.js'
import { configFault, type LlamaConfig } from './config.js'

/**
 * `config.json` as transformers writes it for a `LlamaForCausalLM`. The rotary base stands twice: `rope_theta` for
 * transformers 4, `rope_parameters` for transformers 5; likewise `torch_dtype` and `dtype`.
 */
export function toHfConfig(config: LlamaConfig): Record<string, unknown> {
  return {
    architectures: ['LlamaForCausalLM'],
    attention_bias: false,
    attention_dropout: 0,
    bos_token_id: config.bosTokenId,
    dtype: 'float32',
    eos_token_id: config.eosTokenId,
    head_dim: config.headDim,
    hidden_act: 'silu',
    hidden_size: config.hiddenSize,
    initializer_range: 0.02,
    intermediate_size: config.intermediateSize,
    max_position_embeddings: config.maxPositionEmbeddings,
    mlp_bias: false,
    model_type: 'llama',
    num_attention_heads: config.numAttentionHeads,
    num_hidden_layers: config.numHiddenLayers,
    num_key_value_heads: config.numKeyValueHeads,
    pad_token_id: config.padTokenId,
    rms_norm_eps: config.rmsNormEps,
    rope_parameters: { rope_theta: config.ropeTheta, rope_type: 'default' },
    rope_theta: config.ropeTheta,
    tie_word_embeddings: config.tieWordEmbeddings,
    torch_dtype: 'float32',
    use_cache: true,
    vocab_size: config.vocabSize,
  }
}

/** What this build has only one of: any other value would be another model, silently. */
const REQUIRED: readonly [key: string, value: unknown, fallback: unknown][] = [
  ['model_type', 'llama', undefined],
  ['hidden_act', 'silu', 'silu'],
  ['attention_bias', false, false],
  ['mlp_bias', false, false],
]

/** Reads `config.json`; defaults are transformers' own. Throws `E_CHECKPOINT` that names `where` and the key. */
export function fromHfConfig(json: unknown, where: string): LlamaConfig {
  const fail = (message: string): never => {
    throw new TroupeError('E_CHECKPOINT', message, {
      where,
      hint: 'Troupe opens Llama-family checkpoints (LlamaForCausalLM) without biases or scaled rotary positions',
    })
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    return fail('the configuration is not an object')
  const raw = json as Record<string, unknown>
  for (const [key, value, fallback] of REQUIRED)
    if ((raw[key] ?? fallback) !== value)
      fail(`${key} is ${JSON.stringify(raw[key])}, and only ${JSON.stringify(value)} can be read`)
  const number = (key: string, fallback?: number): number => {
    const value = raw[key] ?? fallback
    return typeof value === 'number' ? value : fail(`${key} must be a number, not ${JSON.stringify(raw[key])}`)
  }
  const first = (key: string, fallback: number): number => {
    const value = Array.isArray(raw[key]) ? raw[key][0] : (raw[key] ?? fallback) // Llama 3 has several ends
    return typeof value === 'number' ? value : fail(`${key} must be a number, not ${JSON.stringify(raw[key])}`)
  }
  const heads = number('num_attention_heads')
  const eos = first('eos_token_id', 2)
  const config: LlamaConfig = {
    vocabSize: number('vocab_size'),
    hiddenSize: number('hidden_size'),
    intermediateSize: number('intermediate_size'),
    numHiddenLayers: number('num_hidden_layers'),
    numAttentionHeads: heads,
    numKeyValueHeads: number('num_key_value_heads', heads),
    headDim: number('head_dim', number('hidden_size') / heads),
    maxPositionEmbeddings: number('max_position_embeddings', 2048),
    rmsNormEps: number('rms_norm_eps', 1e-6),
    ropeTheta: ropeTheta(raw, fail),
    tieWordEmbeddings: raw.tie_word_embeddings === true,
    bosTokenId: first('bos_token_id', 1),
    eosTokenId: eos,
    padTokenId: first('pad_token_id', eos),
  }
  const fault = configFault(config)
  return fault ? fail(fault) : config
}

function ropeTheta(raw: Record<string, unknown>, fail: (message: string) => never): number {
  const parameters = (raw.rope_parameters ?? raw.rope_scaling ?? {}) as Record<string, unknown>
  const type = parameters.rope_type ?? parameters.type ?? 'default'
  if (type !== 'default') return fail(`rotary positions of type ${JSON.stringify(type)} cannot be read`)
  const theta = parameters.rope_theta ?? raw.rope_theta ?? 10_000
  return typeof theta === 'number' ? theta : fail(`rope_theta must be a number, not ${JSON.stringify(theta)}`)
}
