import * as tf from '@tensorflow/tfjs-core'
import { hostTensors, type LossFunction, type Mean, meanOf } from '../runtime/tensor/index.js'
import type { Random } from '../runtime/time/random.js'
import type { DecoderConfig } from './config.js'
import { readPicks } from './graphs.js'
import { checkFlat, type HeadKind, headLayout, trunkOf } from './head-layout.js'
import { checkParams, paramLayout } from './layout.js'
import { createScorer } from './scoring.js'
import { createTrainerOf, type TrainerOptions } from './trainer.js'
import { picksFor } from './training-graph.js'
import type { EngineOptions, TokenSequence, Trainer } from './types.js'

const MAX_GRAPHS = 48

/**
 * A decoder's parameters with a fresh head after them. A reward's weights are normal with deviation 1/√(hiddenSize + 1)
 * (Stiennon et al. 2020), a value's are 0, so that it begins by predicting 0. Throws `E_CONFIG`.
 */
export function addHead(config: DecoderConfig, params: Float32Array, kind: HeadKind, random: Random): Float32Array {
  checkParams(config, params)
  const { total } = headLayout(config, kind)
  const trunk = paramLayout(trunkOf(config, kind)).total // the output matrix is last
  const flat = new Float32Array(total)
  flat.set(params.subarray(0, trunk))
  const stream = random.stream(kind)
  if (kind === 'reward')
    for (let i = trunk; i < total; i++) flat[i] = stream.normal() / Math.sqrt(config.hiddenSize + 1)
  return flat
}

/** states [M, C] · weight [1, C] + bias → [M]. */
function project(states: tf.Tensor2D, [weight, bias]: readonly tf.Tensor[]): tf.Tensor1D {
  const product = tf.matMul(states, weight as tf.Tensor2D, false, true)
  return tf.reshape(bias ? tf.add(product, bias) : product, [-1])
}

interface HeadTrainerOptions extends TrainerOptions {
  /** `frozen` trains the head alone: the graph has no gradients of the decoder. Default `trained`: they share it. */
  readonly trunk?: 'trained' | 'frozen'
}

function createHeadTrainer(
  config: DecoderConfig,
  flat: Float32Array,
  kind: HeadKind,
  loss: LossFunction,
  options: HeadTrainerOptions,
): Trainer {
  const layout = checkFlat(config, kind, flat)
  const trunk = paramLayout(trunkOf(config, kind)).entries.length
  const frozen = options.trunk === 'frozen' ? trunk : 0
  const read = readPicks(trunkOf(config, kind), options.engine)
  const { further, take } = picksFor(loss)
  return createTrainerOf(
    config,
    {
      entries: layout.entries.slice(frozen),
      total: layout.total,
      frozen: hostTensors(flat, layout).slice(0, frozen),
      packed: options.engine.packing ?? false,
      further: kind === 'value' ? further + 1 : 0,
      read: (trained, rest, batch) => {
        const weights = [...rest, ...trained]
        const picked = read(weights.slice(0, trunk), batch)
        const numbers = project(picked.states, weights.slice(trunk))
        return kind === 'value' ? [...take(picked), numbers] : [numbers]
      },
    },
    flat,
    loss,
    options,
  )
}

/**
 * Trains a decoder with a value head, or the head alone. The loss gets `values` [rows, length] as its first extra: column t
 * holds V of the tokens up to t, beside the log-probability of token t + 1. Throws as `createTrainer`.
 */
export function createValueTrainer(
  config: DecoderConfig,
  flat: Float32Array,
  loss: LossFunction,
  options: HeadTrainerOptions,
): Trainer {
  return createHeadTrainer(config, flat, 'value', loss, options)
}

/** A loss over the scores [rows] of whole sequences; extras and mean as in `LossFunction`. Rows of padding score 0. */
export type RewardLoss = (scores: tf.Tensor1D, extras: readonly tf.Tensor[], mean: Mean) => ReturnType<LossFunction>

/** A sequence whose only completion token, which is never read, follows its end: so the end is the one position picked. */
function endOf(config: DecoderConfig, tokens: Int32Array): TokenSequence {
  const longer = new Int32Array(tokens.length + 1).fill(config.padTokenId)
  longer.set(tokens)
  return { tokens: longer, promptLength: tokens.length }
}

/**
 * Trains a reward model, or its head alone. `promptLength` of the sequences does not matter; they may have one token less
 * than the model has positions. Throws as `createTrainer`.
 */
export function createRewardTrainer(
  config: DecoderConfig,
  flat: Float32Array,
  loss: RewardLoss,
  options: HeadTrainerOptions,
): Trainer {
  const onScores: LossFunction = (scores, mask, extras, mean = meanOf) =>
    loss(tf.sum(tf.mul(scores, mask), 1) as tf.Tensor1D, extras, mean)
  const inner = createHeadTrainer(config, flat, 'reward', onScores, options)
  const ends = (sequences: readonly TokenSequence[]) => sequences.map(({ tokens }) => endOf(config, tokens))
  return {
    params: flat,
    pull: () => inner.pull(),
    async step(sequences, extras) {
      const result = await inner.step(ends(sequences), extras)
      return { ...result, tokens: result.tokens - sequences.length }
    },
    async accumulate(batches) {
      const result = await inner.accumulate(batches.map((batch) => ({ ...batch, sequences: ends(batch.sequences) })))
      return { ...result, tokens: result.tokens - batches.reduce((sum, { sequences }) => sum + sequences.length, 0) }
    },
    resetOptimizer: (optimizer) => inner.resetOptimizer(optimizer),
    state: () => inner.state(),
    restore: (state) => inner.restore(state),
    dispose: () => inner.dispose(),
  }
}

function scorerOf(config: DecoderConfig, flat: Float32Array, kind: HeadKind, engine: EngineOptions) {
  const layout = checkFlat(config, kind, flat)
  const { backend, threads = 1, packing = false } = engine
  const trunk = paramLayout(trunkOf(config, kind)).entries.length
  const read = readPicks(trunkOf(config, kind), { packing })
  return createScorer(
    config,
    hostTensors(flat, layout),
    { backend, threads, packing, maxGraphs: MAX_GRAPHS },
    (weights, batch) => project(read(weights.slice(0, trunk), batch).states, weights.slice(trunk)),
  )
}

/** Reads a reward model: `scores` gives one number a sequence (at most maxPositionEmbeddings − 1 tokens). */
export function openRewardModel(config: DecoderConfig, flat: Float32Array, engine: EngineOptions) {
  const scorer = scorerOf(config, flat, 'reward', engine)
  return {
    /** Throws `E_DATA`: a sequence without tokens, too long, or with tokens that the model lacks. */
    async scores(sequences: readonly Int32Array[]): Promise<Float32Array> {
      const numbers = await scorer.logprobs(sequences.map((tokens) => endOf(config, tokens)))
      return Float32Array.from(numbers, ([score]) => score!)
    },
    dispose: () => scorer.dispose(),
  }
}

/** Reads a value head: for each completion token the value of what stands before it. */
export function openValueModel(config: DecoderConfig, flat: Float32Array, engine: EngineOptions) {
  const scorer = scorerOf(config, flat, 'value', engine)
  return {
    /** [completion tokens] of each sequence. Throws `E_DATA`. */
    values: (sequences: readonly TokenSequence[]): Promise<Float32Array[]> => scorer.logprobs(sequences),
    dispose: () => scorer.dispose(),
  }
}
