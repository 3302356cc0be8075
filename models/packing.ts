import type { HostTensor } from '../runtime/tensor/index.js'
import { type Batch, bucketed, layBatch } from './batch.js'
import type { DecoderConfig } from './config.js'
import type { TokenSequence } from './types.js'

/** Where sequences lie: sequence i begins at column `places[i].start` of row `places[i].row`. */
export interface RowPlan {
  readonly rows: number
  readonly length: number
  readonly places: readonly { readonly row: number; readonly start: number }[]
}

/** A row is at most this many times as long as the longest sequence: longer rows leave less empty and cost more attention. */
const MOST = 4

/** Row lengths that are tried, at most. */
const TRIES = 24

/** A row length that leaves no more of the places empty is long enough. */
const EMPTY = 0.06

/**
 * Packs sequences of the given lengths into few rows: the longest first, each into the first row with room (first-fit
 * decreasing, Johnson 1973: at most 11/9 of the fewest rows). The row length is the least, in multiples of `bucket` and at
 * least the longest sequence, that leaves under 6 % of the places empty, else the one that leaves the fewest.
 */
export function planRows(lengths: readonly number[], bucket: number): RowPlan {
  const total = lengths.reduce((sum, length) => sum + length, 0)
  const longest = bucketed(Math.max(1, ...lengths), bucket)
  let best: RowPlan | undefined
  const step = bucket * Math.ceil(((MOST - 1) * longest) / bucket / TRIES)
  for (let row = longest; row <= MOST * longest; row += step) {
    const plan = firstFit(lengths, row)
    if (!best || plan.rows * plan.length < best.rows * best.length) best = plan
    if (1 - total / (best.rows * best.length) < EMPTY) break
  }
  return best!
}

function firstFit(lengths: readonly number[], length: number): RowPlan {
  const order = lengths.map((_, index) => index).sort((a, b) => lengths[b]! - lengths[a]! || a - b)
  const filled: number[] = []
  const places: { row: number; start: number }[] = new Array(lengths.length)
  for (const index of order) {
    const found = filled.findIndex((used) => used + lengths[index]! <= length)
    const row = found < 0 ? filled.length : found
    places[index] = { row, start: filled[row] ?? 0 }
    filled[row] = (filled[row] ?? 0) + lengths[index]!
  }
  return { rows: Math.max(1, filled.length), length, places }
}

/** Rows are rounded up to steps of about a sixteenth, so that batches of like size share a graph. */
function rounded(plan: RowPlan): RowPlan {
  return { ...plan, rows: bucketed(plan.rows, 2 ** Math.max(0, Math.floor(Math.log2(plan.rows / 8)))) }
}

const LENGTH_BUCKET = 16
const PICK_STEPS = 8
const pickStepOf = ({ rows, length }: RowPlan) => Math.ceil((rows * length) / PICK_STEPS)

/** Sequences in the rows of `plan`, and where each one's log-probabilities begin among the M. */
export function layRows(config: DecoderConfig, sequences: readonly TokenSequence[], plan: RowPlan) {
  const longest = Math.max(1, ...sequences.map(({ tokens }) => tokens.length))
  const batch = layBatch(config, sequences, sequences.length, longest, pickStepOf(plan))
  return { inputs: layPacked(config, sequences, plan, batch), starts: batch.starts }
}

/**
 * One training batch, packed. inputs: what `readPicks` reads, then which pick goes to each place of the loss's
 * [rows, length] and back. The mask is of that shape, as in `layBatch`.
 */
export function layPackedBatch(
  config: DecoderConfig,
  sequences: readonly TokenSequence[],
  rows: number,
  length: number,
) {
  const lengths = sequences.map(({ tokens }) => tokens.length)
  const plan = rounded(planRows(lengths, LENGTH_BUCKET))
  const batch = layBatch(config, sequences, rows, length, pickStepOf(plan))
  const [, place, pick] = batch.inputs as [HostTensor, HostTensor, HostTensor]
  return { inputs: [...layPacked(config, sequences, plan, batch), pick, place], mask: batch.mask }
}

/**
 * The tensors that `readPicks` reads: tokens, positions, segments [rows, length], index [M], back [rows·length],
 * targets [M], flat [M]. `batch` holds the same sequences in the same order.
 */
function layPacked(
  config: DecoderConfig,
  sequences: readonly TokenSequence[],
  { rows, length, places }: RowPlan,
  batch: Batch,
): HostTensor[] {
  const [, , , targets, flat] = batch.inputs as [HostTensor, HostTensor, HostTensor, HostTensor, HostTensor]
  const picks = targets.data.length
  const size = rows * length
  const tokens = new Int32Array(size).fill(config.padTokenId)
  const positions = new Int32Array(size)
  const segments = new Int32Array(size).fill(-1)
  const index = new Int32Array(picks).fill(size)
  const back = new Int32Array(size).fill(picks)
  let next = 0
  sequences.forEach((sequence, segment) => {
    const { row, start } = places[segment]!
    const at = row * length + start
    tokens.set(sequence.tokens, at)
    segments.fill(segment, at, at + sequence.tokens.length)
    for (let t = 0; t < sequence.tokens.length; t++) positions[at + t] = t
    for (let t = sequence.promptLength - 1; t < sequence.tokens.length - 1; t++) {
      back[at + t] = next
      index[next++] = at + t
    }
  })
  const int32 = (shape: number[], data: Int32Array): HostTensor => ({ dtype: 'int32', shape, data })
  const laid = [tokens, positions, segments].map((data) => int32([rows, length], data))
  return [...laid, int32([picks], index), int32([size], back), targets, flat]
}
