import * as tf from '@tensorflow/tfjs-core'
import type { HostTensor, LossFunction, Mean, TensorFunction, WeightEntry } from '../runtime/tensor/index.js'
import { meanOf } from '../runtime/tensor/index.js'
import { adamw } from './adamw-graph.js'
import type { Picked } from './graphs.js'
import { isDecayed } from './layout.js'
import { moveRows } from './ops.js'

/** What a trainer trains: one flat vector, read as tensors, and how those give log-probabilities. */
export interface Trainable {
  /** The tensors inside the trained vector. */
  readonly entries: readonly WeightEntry[]
  readonly total: number
  /** Further weights that are read and never trained: the graph has no gradient of them. */
  readonly frozen: readonly HostTensor[]
  /** True: batches are laid out by `layPackedBatch`, else by `layBatch`. */
  readonly packed: boolean
  /** Values of a head, or what a loss asks of logits, at the same positions; a loss gets them before its extras. Default none. */
  readonly further?: number
  /** log π of the chosen positions [M], then the further ones. */
  read(trained: readonly tf.Tensor[], frozen: readonly tf.Tensor[], batch: readonly tf.Tensor[]): tf.Tensor1D[]
}

/** What a loss reads of the chosen positions of a decoder: `further` and what `read` gives. */
export function picksFor({ ofLogits }: LossFunction) {
  return {
    further: ofLogits ? 1 : 0,
    take: (picked: Picked): tf.Tensor1D[] => (ofLogits ? picked.logprobsAnd(ofLogits) : [picked.logprobs()]),
  }
}

/** How many tensors of a batch the model reads before those that bring log π to [rows, length]. */
const MODEL_INPUTS = { padded: 5, packed: 7 }

/** What the batch's tensors are. */
function readBatch(model: Trainable, inputs: readonly tf.Tensor[]) {
  const count = model.packed ? MODEL_INPUTS.packed : MODEL_INPUTS.padded
  const batch = inputs.slice(0, count)
  // A padded batch is already in the loss's rows: where a pick came from is where it goes.
  const own = model.packed ? [] : [batch[2]!, batch[1]!]
  const [pick, place, mask, ...extras] = [...own, ...inputs.slice(count)]
  return { batch, pick: pick as tf.Tensor1D, place: place as tf.Tensor1D, mask: mask as tf.Tensor, extras }
}

/** frozen, batch, extras → loss and gradients of the trained tensors, and metrics. */
function lossAndGradients(
  model: Trainable,
  loss: LossFunction,
  trained: tf.Tensor[],
  inputs: readonly tf.Tensor[],
  mean: Mean,
) {
  const frozen = inputs.slice(0, model.frozen.length)
  const { batch, pick, place, mask, extras } = readBatch(model, inputs.slice(frozen.length))
  let kept: tf.Tensor[] = []
  const { value, grads } = tf.valueAndGrads((...weights: tf.Tensor[]) => {
    const chosen = model.read(weights, frozen, batch) // each [M]
    // Back to [rows, length]: zero where no completion token follows.
    const [logprobs, ...further] = chosen.map((values) => tf.reshape(moveRows(values, pick, place), mask.shape))
    const result = loss(logprobs!, mask, [...further, ...extras], mean)
    // Clones, because a loss may also be given as a metric, and outlives what is kept here.
    kept = result.metrics.map((metric) => tf.keep(tf.clone(metric)))
    return result.loss
  })(trained)
  const metrics = kept.map((metric) => tf.clone(metric))
  tf.dispose(kept)
  return { value, grads, metrics }
}

/** trained, frozen, batch, extras → loss, gradients, metrics. */
export function gradientGraph(model: Trainable, loss: LossFunction): TensorFunction {
  const count = model.entries.length
  return (inputs) => {
    const { value, grads, metrics } = lossAndGradients(model, loss, inputs.slice(0, count), inputs.slice(count), meanOf)
    return [value, ...grads, ...metrics]
  }
}

/** counts of the whole step (see {@link countsGraph}), trained, frozen, batch, extras → this micro-batch's part of loss, gradients, metrics. */
export function partialGradientGraph(model: Trainable, loss: LossFunction): TensorFunction {
  const count = model.entries.length
  return ([totals, ...inputs]) => {
    const counts = tf.unstack(totals!)
    let next = 1
    const mean: Mean = (sum, _, least = 1e-8) => tf.div(sum, tf.maximum(counts[next++]!, least))
    const { value, grads, metrics } = lossAndGradients(model, loss, inputs.slice(0, count), inputs.slice(count), mean)
    return [value, ...grads, ...metrics]
  }
}

/** mask, extras → [0, the counts of the loss's means over one micro-batch in the order in which it takes them…]. */
export function countsGraph({ further = 0 }: Trainable, loss: LossFunction): TensorFunction {
  return ([mask, ...extras]) => {
    const counts: tf.Tensor[] = [tf.scalar(0)] // so that the vector is not empty where the loss takes none
    const none = () => tf.zeros(mask!.shape)
    const values = Array.from({ length: further }, none)
    loss(none(), mask!, [...values, ...extras], (sum, count) => {
      counts.push(tf.reshape(count, []))
      return tf.reshape(sum, [])
    })
    return [tf.stack(counts)]
  }
}

const decayedOf = (model: Trainable) => model.entries.map(({ name }) => isDecayed(name))

/** scalars, params, m, v, frozen, batch, extras → params, m, v, loss, gradient norm, metrics: one whole training step. */
export function stepWithUpdateGraph(model: Trainable, loss: LossFunction): TensorFunction {
  const count = model.entries.length
  return ([scalars, ...inputs]) => {
    const [params, m, v] = [0, 1, 2].map((i) => inputs.slice(i * count, (i + 1) * count)) as [
      tf.Tensor[],
      tf.Tensor[],
      tf.Tensor[],
    ]
    const { value, grads, metrics } = lossAndGradients(model, loss, params, inputs.slice(3 * count), meanOf)
    const next = adamw({ params, m, v }, grads, value, scalars!, decayedOf(model))
    return [...next.params, ...next.m, ...next.v, value, next.norm, ...metrics]
  }
}

/** scalars, loss, params, m, v, gradients → params, m, v, gradient norm. */
export function updateGraph(model: Trainable): TensorFunction {
  const count = model.entries.length
  return ([scalars, loss, ...inputs]) => {
    const [params, m, v, gradients] = [0, 1, 2, 3].map((i) => inputs.slice(i * count, (i + 1) * count)) as [
      tf.Tensor[],
      tf.Tensor[],
      tf.Tensor[],
      tf.Tensor[],
    ]
    const next = adamw({ params, m, v }, gradients, loss!, scalars!, decayedOf(model))
    return [...next.params, ...next.m, ...next.v, next.norm]
  }
}
