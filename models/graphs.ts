import * as tf from '@tensorflow/tfjs-core'
import type { HostTensor } from '../runtime/tensor/compile.js'
import { fullAttention, type LayerCache } from './attention.js'
import type { DecoderConfig } from './config.js'
import { bindWeights, decode, linear } from './decoder.js'
import { paramLayout } from './layout.js'
import { moveRows, pickLogprobs } from './ops.js'
import { packedAttention } from './packed-attention.js'

/** The functions that are compiled. Each takes the weights first, then what its docstring lists. */

/** Views of the flat vector, one per entry: updating `params` updates what the next call reads. */
export function weightInputs(config: DecoderConfig, params: Float32Array): HostTensor[] {
  return paramLayout(config).entries.map(({ shape, offset, length }) => ({
    dtype: 'float32',
    shape,
    data: params.subarray(offset, offset + length),
  }))
}

export function countWeights(config: DecoderConfig): number {
  return paramLayout(config).entries.length
}

/** The weights, bound to their names, and the inputs after them. */
export function splitInputs(config: DecoderConfig, inputs: readonly tf.Tensor[]) {
  const count = countWeights(config)
  return { weights: bindWeights(config, inputs.slice(0, count)), rest: inputs.slice(count) }
}

/** Hidden states of whole sequences. tokens [B, T] → [B·T, C]. */
export function wholeSequences(
  config: DecoderConfig,
  weights: readonly tf.Tensor[],
  tokens: tf.Tensor2D,
  caches?: LayerCache[],
): tf.Tensor2D {
  const [rows, length] = tokens.shape
  const attend = fullAttention(config, rows, length, caches)
  const places = () =>
    tf.tensor1d(
      Int32Array.from({ length: rows * length }, (_, place) => place % length),
      'int32',
    )
  return decode(config, bindWeights(config, weights), tf.reshape(tokens, [-1]) as tf.Tensor1D, attend, places)
}

/** tokens [B, T] → logits [B, T, V] of every position. For tests and tools: training and sampling need far fewer. */
export function logitsGraph(config: DecoderConfig) {
  return (inputs: tf.Tensor[]): tf.Tensor[] => {
    const { weights, rest } = splitInputs(config, inputs)
    const tokens = rest[0] as tf.Tensor2D
    const hidden = wholeSequences(config, inputs.slice(0, countWeights(config)), tokens)
    return [tf.reshape(linear(hidden, weights.head), [...tokens.shape, config.vocabSize])]
  }
}

/**
 * log π of chosen positions only, because the vocabulary is the widest matrix of a small model. `index` [M] are flat
 * positions b·T + t (one past the end: padding), `back` [B·T] its inverse (M where a position is not chosen), `targets`
 * [M] the tokens that follow, `flat` [M] = m·V + target. → [M].
 */
function chosenLogprobs(
  config: DecoderConfig,
  weights: readonly tf.Tensor[],
  [tokens, index, back, targets, flat]: readonly tf.Tensor[],
): tf.Tensor1D {
  const hidden = wholeSequences(config, weights, tokens as tf.Tensor2D)
  return logprobsOf(hidden, bindWeights(config, weights).head, [index, back, targets, flat])
}

/** hidden [N, C] → log π of the chosen positions [M]. */
function logprobsOf(hidden: tf.Tensor2D, head: tf.Tensor2D, picks: readonly (tf.Tensor | undefined)[]): tf.Tensor1D {
  const [index, back, targets, flat] = picks as [tf.Tensor1D, tf.Tensor1D, tf.Tensor1D, tf.Tensor1D]
  const chosen = moveRows(hidden, index, back) as tf.Tensor2D // [M, C]
  return pickLogprobs(linear(chosen, head), targets, flat)
}

/**
 * As {@link chosenLogprobs}, of sequences packed into rows: positions and segments [B, T] come after the tokens. See
 * `layPacked`.
 */
function packedLogprobs(
  config: DecoderConfig,
  weights: readonly tf.Tensor[],
  [tokens, positions, segments, ...picks]: readonly tf.Tensor[],
): tf.Tensor1D {
  const bound = bindWeights(config, weights)
  const attend = packedAttention(config, positions as tf.Tensor2D, segments as tf.Tensor2D)
  const flat = (x: tf.Tensor | undefined) => tf.reshape(x!, [-1]) as tf.Tensor1D
  const hidden = decode(config, bound, flat(tokens), attend, () => flat(positions))
  return logprobsOf(hidden, bound.head, picks)
}

/** tokens, positions, segments, index, back, targets, flat → log π [M]. See {@link packedLogprobs}. */
export function packedLogprobsGraph(config: DecoderConfig) {
  return (inputs: tf.Tensor[]): tf.Tensor[] => {
    const count = countWeights(config)
    return [packedLogprobs(config, inputs.slice(0, count), inputs.slice(count))]
  }
}

/** tokens, index, back, targets, flat → log π [M]. See {@link chosenLogprobs}. */
export function logprobsGraph(config: DecoderConfig) {
  return (inputs: tf.Tensor[]): tf.Tensor[] => {
    const count = countWeights(config)
    return [chosenLogprobs(config, inputs.slice(0, count), inputs.slice(count))]
  }
}

/** log π of chosen positions from batches as the engine lays them out: packed, or a sequence a row. */
export function logprobsFrom(config: DecoderConfig, { packing }: { readonly packing?: boolean }) {
  const read = packing ? packedLogprobs : chosenLogprobs
  return (weights: readonly tf.Tensor[], batch: readonly tf.Tensor[]): tf.Tensor1D => read(config, weights, batch)
}
