import * as tf from '@tensorflow/tfjs-core'
import { moveRows, pickLogprobs, rmsNorm, swiglu } from '../../models/ops.js'
import { rope } from '../../models/rotary.js'
import { host, normal, truth, uniform } from '../runtime/tensor/support.js'
import { flat, type KernelCase, moved, product, rows, smooth, softmax, sum } from './cases.js'

const x = normal([2, 3])
const ids = host('int32', [4], (i) => [2, 0, 2, 1][i]!)
const running = (f: (a: number, b: number) => number) => (row: readonly number[]) =>
  row.map((_, i) => row.slice(0, i + 1).reduce(f))
const angle = (i: number) => 0.4 * i + 0.1
/** x [1, 2, 4] of one head, turned by a table of 2 positions × 2 pairs. */
const turned = (v: readonly number[]) => [
  v.map((_, i) => {
    const [t, d] = [Math.floor(i / 4), i % 4]
    const a = angle(2 * t + (d % 2))
    return d < 2 ? v[i]! * Math.cos(a) - v[i + 2]! * Math.sin(a) : v[i]! * Math.cos(a) + v[i - 2]! * Math.sin(a)
  }),
]
const table = (f: (v: number) => number) =>
  tf.tensor2d(
    [0, 1, 2, 3].map((i) => f(angle(i))),
    [2, 2],
  )

/** a [m, k] · b [k, n] by three loops. */
const matmul = (m: number, k: number, n: number) => (a: readonly number[], b: readonly number[]) => [
  Array.from({ length: m * n }, (_, i) =>
    sum(Array.from({ length: k }, (_, j) => a[Math.floor(i / n) * k + j]! * b[j * n + (i % n)]!)),
  ),
]
const transposed = moved((i) => (i % 2) * 3 + Math.floor(i / 2), 6)

const reductions: KernelCase[] = [
  smooth(
    'Sum',
    (a: tf.Tensor) => tf.sum(a, 1),
    rows(3, (row) => [sum(row)]),
    x,
  ),
  smooth(
    'Mean',
    (a: tf.Tensor) => tf.mean(a, 1),
    rows(3, (row) => [sum(row) / 3]),
    x,
  ),
  smooth(
    'Prod',
    (a: tf.Tensor) => tf.prod(a, 1),
    rows(3, (row) => [product(row)]),
    x,
  ),
  smooth(
    'Max',
    (a: tf.Tensor) => tf.max(a, 1),
    rows(3, (row) => [Math.max(...row)]),
    x,
  ),
  smooth(
    'Min',
    (a: tf.Tensor) => tf.min(a, 1),
    rows(3, (row) => [Math.min(...row)]),
    x,
  ),
  flat(
    'All',
    (a: tf.Tensor) => tf.all(a, 1),
    rows(2, (row) => [Math.min(...row)]),
    truth([6, 2]),
  ),
  flat(
    'Any',
    (a: tf.Tensor) => tf.any(a, 1),
    rows(2, (row) => [Math.max(...row)]),
    truth([6, 2]),
  ),
  flat(
    'ArgMax',
    (a: tf.Tensor) => tf.argMax(a, 1),
    rows(3, (row) => [row.indexOf(Math.max(...row))]),
    x,
  ),
  flat(
    'ArgMin',
    (a: tf.Tensor) => tf.argMin(a, 1),
    rows(3, (row) => [row.indexOf(Math.min(...row))]),
    x,
  ),
  smooth('Softmax', (a: tf.Tensor) => tf.softmax(a), rows(3, softmax), x),
  smooth(
    'LogSoftmax',
    (a: tf.Tensor) => tf.logSoftmax(a),
    rows(3, (row) => softmax(row).map(Math.log)),
    x,
  ),
  smooth(
    'Cumsum',
    (a: tf.Tensor) => tf.cumsum(a, 1),
    rows(
      3,
      running((a, b) => a + b),
    ),
    x,
  ),
  flat(
    'Cumprod',
    (a: tf.Tensor) => tf.cumprod(a, 1),
    rows(
      3,
      running((a, b) => a * b),
    ),
    x,
  ),
  flat(
    'TopK',
    (a: tf.Tensor) => {
      const { values, indices } = tf.topk(a, 2)
      return [values, indices]
    },
    (v) => {
      const order = (row: readonly number[]) =>
        row
          .map((_, i) => i)
          .sort((i, j) => row[j]! - row[i]!)
          .slice(0, 2)
      return [rows(3, (row) => order(row).map((i) => row[i]!))(v)[0]!, rows(3, order)(v)[0]!]
    },
    x,
  ),
]

const layout: KernelCase[] = [
  smooth(
    'Reshape',
    (a: tf.Tensor) => tf.reshape(a, [3, 2]),
    (v) => [v],
    x,
  ),
  smooth(
    'ExpandDims',
    (a: tf.Tensor) => tf.expandDims(a, 1),
    (v) => [v],
    x,
  ),
  smooth('Transpose', (a: tf.Tensor) => tf.transpose(a), transposed, x),
  smooth(
    'BroadcastTo',
    (a: tf.Tensor) => tf.broadcastTo(a, [2, 2, 3]),
    moved((i) => i % 6, 12),
    x,
  ),
  smooth(
    'Tile',
    (a: tf.Tensor) => tf.tile(a, [1, 2]),
    moved((i) => Math.floor(i / 6) * 3 + (i % 3), 12),
    x,
  ),
  // grouped queries: rank 5, which GPU programs of TF.js do not reach
  smooth(
    'Tile',
    (a: tf.Tensor) => tf.tile(tf.reshape(a, [1, 2, 1, 3, 1]), [2, 1, 3, 1, 1]),
    moved((i) => (Math.floor(i / 9) % 2) * 3 + (i % 3), 36),
    x,
  ),
  smooth(
    'Slice',
    (a: tf.Tensor) => tf.slice(a, [0, 1], [2, 2]),
    moved((i) => Math.floor(i / 2) * 3 + 1 + (i % 2), 4),
    x,
  ),
  flat(
    'StridedSlice',
    (a: tf.Tensor) => tf.stridedSlice(a, [0, 0], [2, 3], [1, 2]),
    moved((i) => Math.floor(i / 2) * 3 + 2 * (i % 2), 4),
    x,
  ),
  smooth(
    'Reverse',
    (a: tf.Tensor) => tf.reverse(a, 1),
    rows(3, (row) => row.toReversed()),
    x,
  ),
  smooth(
    'Concat',
    (a: tf.Tensor, b: tf.Tensor) => tf.concat([a, b], 0),
    (v, w) => [[...v, ...w]],
    x,
    normal([1, 3]),
  ),
  smooth(
    'Pack',
    (a: tf.Tensor, b: tf.Tensor) => tf.stack([a, b]),
    (v, w) => [[...v, ...w]],
    x,
    normal([2, 3], 2),
  ),
  smooth(
    'Unpack',
    (a: tf.Tensor) => tf.unstack(a),
    (v) => [v.slice(0, 3), v.slice(3)],
    x,
  ),
  smooth(
    'SplitV',
    (a: tf.Tensor) => tf.split(a, [1, 1], 0),
    (v) => [v.slice(0, 3), v.slice(3)],
    x,
  ),
  smooth(
    'PadV2',
    (a: tf.Tensor) =>
      tf.pad(
        a,
        [
          [0, 0],
          [1, 0],
        ],
        2,
      ),
    rows(3, (row) => [2, ...row]),
    x,
  ),
  flat(
    'MirrorPad',
    (a: tf.Tensor) =>
      tf.mirrorPad(
        a,
        [
          [0, 0],
          [1, 1],
        ],
        'reflect',
      ),
    rows(3, (row) => [row[1]!, ...row, row[1]!]),
    x,
  ),
]

const indexing: KernelCase[] = [
  smooth('BatchMatMul', tf.matMul as KernelCase['fn'], matmul(2, 3, 4), x, normal([3, 4])),
  smooth(
    'BatchMatMul',
    (a: tf.Tensor, b: tf.Tensor) => tf.matMul(a, b, false, true),
    (v, w) => matmul(2, 3, 2)(v, transposed(w)[0]!),
    x,
    normal([2, 3], 2),
  ),
  smooth(
    'GatherV2',
    (a: tf.Tensor, i: tf.Tensor) => tf.gather(a, i),
    (v, at) => [at.flatMap((i) => v.slice(2 * i, 2 * i + 2))],
    normal([3, 2]),
    ids,
  ),
  smooth(
    'GatherNd',
    (a: tf.Tensor, i: tf.Tensor) => tf.gatherND(a, tf.reshape(i, [2, 2])),
    (v, at) => [[v[at[0]! * 3 + at[1]!]!, v[at[2]! * 3 + at[3]!]!]],
    normal([3, 3]),
    ids,
  ),
  smooth(
    'ScatterNd',
    (a: tf.Tensor, i: tf.Tensor) => tf.scatterND(tf.reshape(i, [4, 1]), a, [3]),
    (v, at) => [[0, 1, 2].map((place) => sum(v.filter((_, i) => at[i] === place)))],
    normal([4]),
    ids,
  ),
  smooth(
    'UnsortedSegmentSum',
    (a: tf.Tensor, i: tf.Tensor) => tf.unsortedSegmentSum(a, i as tf.Tensor1D, 3),
    (v, at) => [[0, 1, 2].map((place) => sum(v.filter((_, i) => at[i] === place)))],
    normal([4]),
    ids,
  ),
  flat(
    'TensorScatterUpdate',
    (a: tf.Tensor, b: tf.Tensor) => tf.tensorScatterUpdate(a, tf.tensor2d([[2], [0]], [2, 1], 'int32'), b),
    (v, w) => [[w[1]!, v[1]!, w[0]!, v[3]!]],
    normal([4]),
    normal([2]),
  ),
  flat(
    'OneHot',
    (i: tf.Tensor) => tf.oneHot(i, 3),
    (at) => [at.flatMap((i) => [0, 1, 2].map((d) => Number(d === i)))],
    ids,
  ),
  flat(
    'Range',
    (a: tf.Tensor) => tf.add(a, tf.range(0, 4, 1)),
    (v) => [v.map((w, i) => w + i)],
    normal([4]),
  ),
  flat(
    'LinSpace',
    (a: tf.Tensor) => tf.add(a, tf.linspace(0, 1, 5)),
    (v) => [v.map((w, i) => w + i / 4)],
    normal([5]),
  ),
  flat(
    'Fill',
    (a: tf.Tensor) => tf.add(a, tf.fill([5], 2.5)),
    (v) => [v.map((w) => w + 2.5)],
    normal([5]),
  ),
]

const fused: KernelCase[] = [
  smooth(
    'TroupeRmsNorm',
    (a: tf.Tensor, gain: tf.Tensor) => rmsNorm(a as tf.Tensor2D, gain as tf.Tensor1D, 1e-5),
    (v, gain) =>
      rows(3, (row) => row.map((w, i) => (gain[i]! * w) / Math.sqrt(sum(row.map((z) => z * z)) / 3 + 1e-5)))(v),
    x,
    uniform(0.5, 1.5, [3]),
  ),
  smooth(
    'TroupeSilu',
    (g: tf.Tensor, u: tf.Tensor) => swiglu(g as tf.Tensor2D, u as tf.Tensor2D),
    (g, u) => [g.map((v, i) => (u[i]! * v) / (1 + Math.exp(-v)))],
    x,
    normal([2, 3], 2),
  ),
  smooth(
    'TroupeRotary',
    (a: tf.Tensor) => rope(a as tf.Tensor3D, { cos: table(Math.cos), sin: table(Math.sin) }, { heads: 1 }),
    turned,
    normal([1, 2, 4]),
  ),
  smooth(
    'TroupePlaceRows',
    (a: tf.Tensor, i: tf.Tensor) => {
      const places = tf.slice(i, 0, 2) as tf.Tensor1D
      return pickLogprobs(a as tf.Tensor2D, places, tf.add(places, tf.tensor1d([0, 3], 'int32')))
    },
    (v, at) => [[Math.log(softmax(v.slice(0, 3))[at[0]!]!), Math.log(softmax(v.slice(3))[at[1]!]!)]],
    x,
    ids,
  ),
  smooth(
    'GatherV2',
    (a: tf.Tensor, to: tf.Tensor, back: tf.Tensor) => moveRows(a, to as tf.Tensor1D, back as tf.Tensor1D),
    (v) => [[...v.slice(3), 0, 0, 0]],
    x,
    host('int32', [2], (i) => 1 + i),
    host('int32', [2], (i) => 2 - 2 * i),
  ),
]

export const shapeCases = [...reductions, ...layout, ...indexing, ...fused]
