import { TroupeError } from '../runtime/kernel/errors.js'
import { layoutOf, type WeightLayout } from '../runtime/tensor/index.js'
import type { Random } from '../runtime/time/random.js'
import { checkConfig, type LlamaConfig } from './config.js'

/**
 * Every parameter inside the flat vector, under Hugging Face's names and shapes (`Linear` weights are [out, in]).
 * A tied head has no entry of its own. Throws `E_CONFIG`.
 */
export function paramLayout(config: LlamaConfig): WeightLayout {
  checkConfig(config)
  const { hiddenSize: C, intermediateSize: I, headDim: D, vocabSize: V } = config
  const queries = config.numAttentionHeads * D
  const keys = config.numKeyValueHeads * D
  const arrays = [{ name: 'model.embed_tokens.weight', shape: [V, C] }]
  for (let layer = 0; layer < config.numHiddenLayers; layer++) {
    const at = (name: string, shape: number[]) => arrays.push({ name: `model.layers.${layer}.${name}.weight`, shape })
    at('input_layernorm', [C])
    at('self_attn.q_proj', [queries, C])
    at('self_attn.k_proj', [keys, C])
    at('self_attn.v_proj', [keys, C])
    at('self_attn.o_proj', [C, queries])
    at('post_attention_layernorm', [C])
    at('mlp.gate_proj', [I, C])
    at('mlp.up_proj', [I, C])
    at('mlp.down_proj', [C, I])
  }
  arrays.push({ name: 'model.norm.weight', shape: [C] })
  if (!config.tieWordEmbeddings) arrays.push({ name: 'lm_head.weight', shape: [V, C] })
  return layoutOf(arrays)
}

/** Throws `E_CONFIG` when `params` is not a vector of this model. */
export function checkParams(config: LlamaConfig, params: Float32Array): void {
  const { total } = paramLayout(config)
  if (params.length !== total)
    throw new TroupeError('E_CONFIG', `the model has ${total} parameters, not ${params.length}`, { where: 'model' })
}

/** True for RMSNorm gains, which start at 1 and are never decayed. */
export function isNorm(name: string): boolean {
  return name.endsWith('norm.weight')
}

const EMBEDDINGS = 'model.embed_tokens.weight'

/** Standard deviation of fresh embeddings: small enough that a tied head starts near uniform. */
const EMBEDDING_STD = 0.06

/**
 * Fresh parameters: matrices normal with deviation 1/√inputs (which keeps the scale of what passes through, and let a
 * narrow model learn more from the same data than a fixed 0.02), embeddings 0.06, norm gains 1. Each parameter draws
 * from `random.stream(name)`, so that it does not depend on the ones before it.
 */
export function initParams(config: LlamaConfig, random: Random): Float32Array {
  const layout = paramLayout(config)
  const params = new Float32Array(layout.total)
  for (const { name, shape, offset, length } of layout.entries) {
    const values = params.subarray(offset, offset + length)
    if (isNorm(name)) {
      values.fill(1)
      continue
    }
    const std = name === EMBEDDINGS ? EMBEDDING_STD : 1 / Math.sqrt(shape[1] ?? 1)
    const stream = random.stream(name)
    for (let i = 0; i < length; i++) values[i] = std * stream.normal()
  }
  return params
}
