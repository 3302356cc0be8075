import { architectureOf, type DecoderConfig } from './config.js'

/** Hugging Face's module names of one architecture, without `.weight` and `.bias`. */
interface Names {
  readonly model: { readonly embed: string; readonly positions?: string; readonly norm: string; readonly head: string }
  /** What a layer's number and its modules follow. */
  readonly prefix: string
  readonly layer: Readonly<
    Record<
      'inputNorm' | 'query' | 'key' | 'value' | 'queryNorm' | 'keyNorm' | 'out' | 'postNorm' | 'gate' | 'up' | 'down',
      string
    >
  >
}

const LLAMA: Names = {
  model: { embed: 'model.embed_tokens', norm: 'model.norm', head: 'lm_head' },
  prefix: 'model.layers',
  layer: {
    inputNorm: 'input_layernorm',
    query: 'self_attn.q_proj',
    key: 'self_attn.k_proj',
    value: 'self_attn.v_proj',
    queryNorm: 'self_attn.q_norm',
    keyNorm: 'self_attn.k_norm',
    out: 'self_attn.o_proj',
    postNorm: 'post_attention_layernorm',
    gate: 'mlp.gate_proj',
    up: 'mlp.up_proj',
    down: 'mlp.down_proj',
  },
}

const GPT2: Names = {
  model: { embed: 'transformer.wte', positions: 'transformer.wpe', norm: 'transformer.ln_f', head: 'lm_head' },
  prefix: 'transformer.h',
  layer: {
    ...LLAMA.layer,
    inputNorm: 'ln_1',
    query: 'attn.q_proj',
    key: 'attn.k_proj',
    value: 'attn.v_proj',
    out: 'attn.c_proj',
    postNorm: 'ln_2',
    up: 'mlp.c_fc',
    down: 'mlp.c_proj',
  },
}

const GPT_NEOX: Names = {
  model: { embed: 'gpt_neox.embed_in', norm: 'gpt_neox.final_layer_norm', head: 'embed_out' },
  prefix: 'gpt_neox.layers',
  layer: {
    ...LLAMA.layer,
    query: 'attention.q_proj',
    key: 'attention.k_proj',
    value: 'attention.v_proj',
    out: 'attention.dense',
    up: 'mlp.dense_h_to_4h',
    down: 'mlp.dense_4h_to_h',
  },
}

export function namesOf(config: DecoderConfig): Names {
  const architecture = architectureOf(config)
  return architecture === 'gpt2' ? GPT2 : architecture === 'gpt_neox' ? GPT_NEOX : LLAMA
}
