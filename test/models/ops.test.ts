import * as tf from '@tensorflow/tfjs-core'
import test from 'ava'
import { pickLogprobs, rmsNorm, swiglu } from '../../models/ops.js'
import { inverseFrequencies, rope, rotaryTables } from '../../models/rotary.js'
import { registerGradients } from '../../runtime/tensor/gradients/index.js'
import { encodeModel } from '../../runtime/tensor/onnx-model.js'
import { trace } from '../../runtime/tensor/trace-backend.js'
import { assertCase, type Case, host, normal, runOnce, smooth } from '../runtime/tensor/support.js'

/** On `cpu` these are plain TF.js ops, on `onnx` the fused kernels: the case compares both, and both with differences. */
const targets = host('int32', [5], (i) => (i * 3) % 7)
const flat = host('int32', [5], (i) => i * 7 + ((i * 3) % 7))
const places = host('int32', [2, 3], (i) => [0, 5, 2, 7, 1, 0][i]!)
const turned = (dims: number, heads: number) => (x: tf.Tensor3D) =>
  rope(x, rotaryTables(8, inverseFrequencies(dims, 100)), { heads })

const cases: Case[] = [
  smooth('rmsNorm', (x: tf.Tensor2D, w: tf.Tensor1D) => rmsNorm(x, w, 1e-5), normal([5, 6]), normal([6], 2)),
  smooth('swiglu', (g: tf.Tensor2D, u: tf.Tensor2D) => swiglu(g, u), normal([4, 6]), normal([4, 6], 2)),
  smooth(
    'pickLogprobs',
    (x: tf.Tensor2D, t: tf.Tensor1D, f: tf.Tensor1D) => pickLogprobs(x, t, f),
    normal([5, 7]),
    targets,
    flat,
  ),
  smooth('rope', turned(4, 3), normal([2, 3, 12])),
  smooth('rope of one head', turned(4, 1), normal([2, 3, 4])),
  smooth('rope of a part of each head', turned(4, 2), normal([2, 3, 16])),
  smooth(
    'rope at given places',
    (x: tf.Tensor3D, positions: tf.Tensor2D) =>
      rope(x, rotaryTables(8, inverseFrequencies(4, 100)), { heads: 2, positions }),
    normal([2, 3, 8]),
    places,
  ),
]

for (const subject of cases) test(`fused and plain: ${subject.name}`, (t) => assertCase(t, subject))

test('rope turns pair (i, i + half) by position · theta^(−2i/d)', async (t) => {
  const x = host('float32', [1, 3, 4], (i) => (i === 0 || i === 4 || i === 9 ? 1 : 0))
  const fn = ([input]: tf.Tensor[]) => [turned(4, 1)(input as tf.Tensor3D)]
  const [whole] = await runOnce(fn, [x], { backend: 'cpu' })
  const y = [0, 4, 8].map((at) => [...whole!.data.slice(at, at + 4)])
  const close = (actual: number[], expected: number[]) =>
    t.true(
      actual.every((value, i) => Math.abs(value - expected[i]!) < 1e-6),
      `${actual} is ${expected}`,
    )
  close(y[0]!, [1, 0, 0, 0])
  close(y[1]!, [Math.cos(1), 0, Math.sin(1), 0])
  close(y[2]!, [0, Math.cos(2 / 10), 0, Math.sin(2 / 10)])
})

test('a training graph holds one matrix of [tokens, vocabulary], and its gradient in its place', (t) => {
  registerGradients()
  const fn = ([x, p, f]: tf.Tensor[]) =>
    tf.grads((logits: tf.Tensor) => tf.sum(pickLogprobs(logits as tf.Tensor2D, p as tf.Tensor1D, f as tf.Tensor1D)))([
      x!,
    ])
  const { graph, outputs } = trace(fn, [normal([5, 7]), targets, flat], 1)
  const text = Buffer.from(encodeModel(graph, outputs, 'pick')).toString('latin1')
  t.regex(text, /ScatterElements/)
  t.notRegex(text, /OneHot|Equal/)
})
