import { TroupeError } from '../runtime/kernel/errors.js'
import { layoutOf, type WeightLayout } from '../runtime/tensor/index.js'
import type { Random } from '../runtime/time/random.js'
import { checkConfig, type DecoderConfig } from './config.js'
import { namesOf } from './names.js'
import { traitsOf } from './traits.js'

/** What a parameter is to the decoder; `…Bias` is the bias of the one before it. */
type ModelRole = 'embed' | 'positions' | 'norm' | 'normBias' | 'head'
export type LayerRole =
  | 'inputNorm'
  | 'inputNormBias'
  | 'query'
  | 'key'
  | 'value'
  | 'queryBias'
  | 'keyBias'
  | 'valueBias'
  | 'queryNorm'
  | 'keyNorm'
  | 'out'
  | 'outBias'
  | 'postNorm'
  | 'postNormBias'
  | 'gate'
  | 'up'
  | 'gateBias'
  | 'upBias'
  | 'down'
  | 'downBias'

/** One parameter, in the order of the flat vector. `layer` is undefined for what all layers share. */
type PlannedParam = { readonly name: string; readonly shape: readonly number[] } & (
  | { readonly role: ModelRole; readonly layer?: undefined }
  | { readonly role: LayerRole; readonly layer: number }
)

/**
 * Every parameter of the decoder: its role, its name, its shape. Matrices are [out, in]; q, k and v are apart whatever the
 * checkpoint's file does (`models/stored.ts`).
 */
export function planParams(config: DecoderConfig): PlannedParam[] {
  const { hiddenSize: C, vocabSize: V, maxPositionEmbeddings: P } = config
  const { norm, frequencies } = traitsOf(config)
  const { model } = namesOf(config)
  const params: PlannedParam[] = [{ role: 'embed', name: `${model.embed}.weight`, shape: [V, C] }]
  if (!frequencies) params.push({ role: 'positions', name: `${model.positions}.weight`, shape: [P, C] })
  for (let layer = 0; layer < config.numHiddenLayers; layer++) params.push(...planLayer(config, layer))
  params.push({ role: 'norm', name: `${model.norm}.weight`, shape: [C] })
  if (norm === 'layer') params.push({ role: 'normBias', name: `${model.norm}.bias`, shape: [C] })
  if (!config.tieWordEmbeddings) params.push({ role: 'head', name: `${model.head}.weight`, shape: [V, C] })
  return params
}

function planLayer(config: DecoderConfig, layer: number): PlannedParam[] {
  const { hiddenSize: C, intermediateSize: I, headDim: D } = config
  const queries = config.numAttentionHeads * D
  const keys = config.numKeyValueHeads * D
  const { norm, activation, biases, headNorms } = traitsOf(config)
  const names = namesOf(config)
  const params: PlannedParam[] = []
  type Base = keyof typeof names.layer
  const weight = (role: Base, shape: number[]) =>
    params.push({ role, layer, name: `${names.prefix}.${layer}.${names.layer[role]}.weight`, shape })
  const bias = (role: Exclude<Base, 'queryNorm' | 'keyNorm'>, size: number) =>
    params.push({
      role: `${role}Bias`,
      layer,
      name: `${names.prefix}.${layer}.${names.layer[role]}.bias`,
      shape: [size],
    })
  const normed = (role: 'inputNorm' | 'postNorm') => {
    weight(role, [C])
    if (norm === 'layer') bias(role, C)
  }
  normed('inputNorm')
  weight('query', [queries, C])
  weight('key', [keys, C])
  weight('value', [keys, C])
  if (biases.qkv) for (const role of ['query', 'key', 'value'] as const) bias(role, role === 'query' ? queries : keys)
  if (headNorms) for (const role of ['queryNorm', 'keyNorm'] as const) weight(role, [D])
  weight('out', [C, queries])
  if (biases.out) bias('out', C)
  normed('postNorm')
  if (activation === 'silu') weight('gate', [I, C])
  weight('up', [I, C])
  if (biases.mlp && activation === 'silu') bias('gate', I)
  if (biases.mlp) bias('up', I)
  weight('down', [C, I])
  if (biases.mlp) bias('down', C)
  return params
}

/**
 * Every parameter inside the flat vector. Names are Hugging Face's; where its files pack q, k and v into one matrix (GPT-2,
 * GPT-NeoX) they are `q_proj`, `k_proj` and `v_proj` here. A tied head has no entry of its own. Throws `E_CONFIG`.
 */
export function paramLayout(config: DecoderConfig): WeightLayout {
  checkConfig(config)
  return layoutOf(planParams(config).map(({ name, shape }) => ({ name, shape })))
}

/** Throws `E_CONFIG` when `params` is not a vector of this model. */
export function checkParams(config: DecoderConfig, params: Float32Array): void {
  const { total } = paramLayout(config)
  if (params.length !== total)
    throw new TroupeError('E_CONFIG', `the model has ${total} parameters, not ${params.length}`, { where: 'model' })
}

const isBias = (name: string) => name.endsWith('.bias')

/** True for the gains of norms, of every architecture. */
const isGain = (name: string) => /(norm|\.ln_\w+)\.weight$/.test(name)

/** False for norms and biases, which weight decay leaves alone. */
export function isDecayed(name: string): boolean {
  return !isBias(name) && !isGain(name)
}

/** Standard deviation of fresh embeddings: small enough that a tied head starts near uniform. */
const EMBEDDING_STD = 0.06

/**
 * Fresh parameters: matrices normal with deviation 1/√inputs (which keeps the scale of what passes through, and let a
 * narrow model learn more from the same data than a fixed 0.02), embeddings 0.06, norm gains 1, biases 0. Each parameter
 * draws from `random.stream(name)`, so that it does not depend on the ones before it.
 */
export function initParams(config: DecoderConfig, random: Random): Float32Array {
  const layout = paramLayout(config)
  const { model } = namesOf(config)
  const embeddings = [`${model.embed}.weight`, `${model.positions}.weight`]
  const params = new Float32Array(layout.total)
  for (const { name, shape, offset, length } of layout.entries) {
    if (isBias(name)) continue
    const values = params.subarray(offset, offset + length)
    if (isGain(name)) {
      values.fill(1)
      continue
    }
    const std = embeddings.includes(name) ? EMBEDDING_STD : 1 / Math.sqrt(shape[1] ?? 1)
    const stream = random.stream(name)
    for (let i = 0; i < length; i++) values[i] = std * stream.normal()
  }
  return params
}
