import type * as tf from '@tensorflow/tfjs-core'
import {
  type Backend,
  type CompileOptions,
  compile,
  type HostTensor,
  type TensorInput,
} from '../runtime/tensor/index.js'
import { bucketed, checkSequence, layBatch, rowBucket } from './batch.js'
import type { DecoderConfig } from './config.js'
import { readPicks } from './graphs.js'
import { layRows, planRows } from './packing.js'
import { hostWeights, isHostBackend, ResidentWeights } from './resident-weights.js'
import type { TokenSequence } from './types.js'

const SCORE_ROWS = 32
const PACKED_ROWS = 16
const LENGTH_BUCKET = 16

type Options = Omit<CompileOptions, 'name'> & { readonly backend: Backend; readonly packing: boolean }

/** What is read at each chosen position; default its log-probability. */
type Read = (weights: readonly tf.Tensor[], batch: readonly tf.Tensor[]) => tf.Tensor1D

/**
 * Per-token numbers of completions, in chunks: of sequences of like length, or packed. A device is given the weights once a
 * call.
 */
export function createScorer(
  config: DecoderConfig,
  weights: readonly HostTensor[],
  options: Options,
  read: Read = (given, batch) => readPicks(config, options)(given, batch).logprobs(),
) {
  const { packing, ...engine } = options
  const graph = compile((inputs) => [read(inputs.slice(0, weights.length), inputs.slice(weights.length))], {
    name: packing ? 'packed-logprobs' : 'logprobs',
    ...engine,
  })

  const resident = isHostBackend(engine.backend) ? undefined : new ResidentWeights(engine.backend, weights)
  const hold = resident?.hold ?? hostWeights(weights)

  /** Scores sequences `chunk` (indices) from what `laid` says. */
  async function score(
    held: readonly TensorInput[],
    sequences: readonly TokenSequence[],
    chunk: readonly number[],
    laid: { readonly inputs: readonly HostTensor[]; readonly starts: readonly number[] },
    results: Float32Array[],
  ) {
    const [logprobs] = await graph.run([...held, ...laid.inputs])
    chunk.forEach((index, member) => {
      const { tokens, promptLength } = sequences[index]!
      const start = laid.starts[member]!
      results[index] = (logprobs!.data as Float32Array).slice(start, start + tokens.length - promptLength)
    })
  }

  async function scorePadded(
    held: readonly TensorInput[],
    sequences: readonly TokenSequence[],
    results: Float32Array[],
  ) {
    const order = sequences.map((_, index) => index)
    order.sort((a, b) => sequences[a]!.tokens.length - sequences[b]!.tokens.length || a - b)
    for (let at = 0; at < order.length; at += SCORE_ROWS) {
      const chunk = order.slice(at, at + SCORE_ROWS)
      const members = chunk.map((index) => sequences[index]!)
      const length = bucketed(Math.max(...members.map(({ tokens }) => tokens.length)), LENGTH_BUCKET)
      await score(
        held,
        sequences,
        chunk,
        layBatch(config, members, rowBucket(chunk.length, SCORE_ROWS), length),
        results,
      )
    }
  }

  /** Rows go in chunks of 16, then 8, 4, 2 and 1: no empty rows, and few graphs. */
  async function scorePacked(
    held: readonly TensorInput[],
    sequences: readonly TokenSequence[],
    results: Float32Array[],
  ) {
    const { rows, length, places } = planRows(
      sequences.map(({ tokens }) => tokens.length),
      LENGTH_BUCKET,
    )
    let first = 0
    while (first < rows) {
      const count = Math.min(PACKED_ROWS, 2 ** Math.floor(Math.log2(rows - first)))
      const inside = ({ row }: { row: number }) => row >= first && row < first + count
      const chunk = places.flatMap((place, index) => (inside(place) ? [index] : []))
      const plan = { rows: count, length, places: chunk.map((i) => ({ ...places[i]!, row: places[i]!.row - first })) }
      const members = chunk.map((index) => sequences[index]!)
      await score(held, sequences, chunk, layRows(config, members, plan), results)
      first += count
    }
  }

  return {
    /** What `read` gives for each completion token. Throws `E_DATA`. */
    async logprobs(sequences: readonly TokenSequence[]): Promise<Float32Array[]> {
      sequences.forEach((sequence, index) => {
        checkSequence(config, sequence, index)
      })
      const results: Float32Array[] = sequences.map(() => new Float32Array(0))
      if (sequences.length === 0) return results
      const held = await hold(undefined)
      try {
        await (packing ? scorePacked : scorePadded)(held.inputs, sequences, results)
      } finally {
        held.release()
      }
      return results
    },
    async dispose() {
      resident?.dispose()
      await graph.dispose()
    },
  }
}
