import * as tf from '@tensorflow/tfjs-core'
import { type HostTensor, hostTensors, type LogitsReader } from '../runtime/tensor/index.js'
import { fullAttention, type LayerCache } from './attention.js'
import type { DecoderConfig } from './config.js'
import { bindWeights, decode, linear } from './decoder.js'
import { paramLayout } from './layout.js'
import { moveRows, pickLogprobs } from './ops.js'
import { packedAttention } from './packed-attention.js'

/** The functions that are compiled. Each takes the weights first, then what its docstring lists. */

/** Views of the flat vector, one per entry: updating `params` updates what the next call reads. */
export function weightInputs(config: DecoderConfig, params: Float32Array): HostTensor[] {
  return hostTensors(params, paramLayout(config))
}

export function countWeights(config: DecoderConfig): number {
  return paramLayout(config).entries.length
}

/** The weights, bound to their names, and the inputs after them. */
function splitInputs(config: DecoderConfig, inputs: readonly tf.Tensor[]) {
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

/** Hidden states of sequences packed into rows: tokens, positions, segments [B, T] → [B·T, C]. See `layPacked`. */
function packedSequences(
  config: DecoderConfig,
  weights: readonly tf.Tensor[],
  [tokens, positions, segments]: readonly tf.Tensor[],
): tf.Tensor2D {
  const attend = packedAttention(config, positions as tf.Tensor2D, segments as tf.Tensor2D)
  const flat = (x: tf.Tensor | undefined) => tf.reshape(x!, [-1]) as tf.Tensor1D
  return decode(config, bindWeights(config, weights), flat(tokens), attend, () => flat(positions))
}

/** What a model says at chosen positions. */
export interface Picked {
  /** Hidden states [M, C]. */
  readonly states: tf.Tensor2D
  /** log π of the tokens that follow [M]. */
  logprobs(): tf.Tensor1D
  /** The same, and what `read` makes of the logits, which are worked out once. */
  logprobsAnd(read: LogitsReader): [tf.Tensor1D, tf.Tensor1D]
}

/**
 * Reads chosen positions only, because the vocabulary is the widest matrix of a small model. A batch is tokens [B, T] (when
 * packed also positions and segments), `index` [M], flat positions b·T + t (one past the end: padding), `back` [B·T], its
 * inverse (M where a position is not chosen), `targets` [M], the tokens that follow, and `flat` [M] = m·V + target.
 */
export function readPicks(config: DecoderConfig, { packing = false }: { readonly packing?: boolean | undefined }) {
  return (weights: readonly tf.Tensor[], batch: readonly tf.Tensor[]): Picked => {
    const hidden = packing
      ? packedSequences(config, weights, batch)
      : wholeSequences(config, weights, batch[0] as tf.Tensor2D)
    const [index, back, targets, flat] = batch.slice(packing ? 3 : 1) as tf.Tensor1D[]
    const states = moveRows(hidden, index!, back!) as tf.Tensor2D
    const { head } = bindWeights(config, weights)
    return {
      states,
      logprobs: () => pickLogprobs(linear(states, head), targets!, flat!),
      logprobsAnd(read) {
        const logits = linear(states, head)
        return [pickLogprobs(logits, targets!, flat!), read(logits, targets!)]
      },
    }
  }
}
