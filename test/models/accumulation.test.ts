import '@tensorflow/tfjs-backend-cpu'
import * as tf from '@tensorflow/tfjs-core'
import test from 'ava'
import { dpo } from '../../alignment/index.js'
import { initParams } from '../../models/layout.js'
import { nllLoss } from '../../models/nll.js'
import { createTrainer } from '../../models/trainer.js'
import type { TokenSequence, TrainingBatch } from '../../models/types.js'
import type { LossFunction } from '../../runtime/tensor/index.js'
import { seededRandom } from '../../runtime/time/random.js'
import { plainAdam, tiny, worst } from './support.js'

const random = seededRandom(7)
/** Sequences of very different lengths: 3 to 40 tokens. */
const sequences: TokenSequence[] = [3, 40, 5, 21, 4, 9, 33, 12].map((length) => ({
  tokens: Int32Array.from({ length }, () => 3 + random.int(17)),
  promptLength: 2,
}))
const vector = (...values: number[]) => ({ shape: [values.length], data: Float32Array.from(values) })

/** Loss, norm, metrics and the gradient (ten times the first moment) of one step that leaves the weights alone. */
async function stepOf(loss: LossFunction, batches: readonly TrainingBatch[], update: 'host' | 'graph') {
  const trainer = createTrainer(tiny, initParams(tiny, seededRandom(3)), loss, {
    optimizer: { ...plainAdam, learningRate: 0 },
    engine: { backend: 'onnx' },
    rows: 1,
    update,
  })
  const only = batches.length === 1 ? batches[0]! : undefined
  const result = only ? await trainer.step(only.sequences, only.extras) : await trainer.accumulate(batches)
  const gradient = (await trainer.state()).m.map((value) => value * 10)
  await trainer.dispose()
  return { ...result, gradient }
}

for (const update of ['host', 'graph'] as const) {
  test(`update on the ${update}: micro-batches of unlike token counts give the gradient of one batch`, async (t) => {
    const weights = [1, 0.5, 2, 1, 0, 3, 1, 0.25]
    const part = (from: number, to: number) => ({
      sequences: sequences.slice(from, to),
      extras: [vector(...weights.slice(from, to))],
    })
    const whole = await stepOf(nllLoss, [part(0, 8)], update)
    const parts = await stepOf(nllLoss, [part(0, 1), part(1, 2), part(2, 5), part(5, 8)], update)
    t.true(Math.abs(parts.loss - whole.loss) < 1e-5)
    t.true(Math.abs(parts.gradNorm - whole.gradNorm) < 1e-5)
    t.true(worst(parts.gradient, whole.gradient) < 1e-6)
    t.is(parts.tokens, whole.tokens)
  })

  test(`update on the ${update}: a loss of two means, over pairs and over tokens, adds up exactly too`, async (t) => {
    const [a, b, c, d, e, f, g, h] = sequences as [TokenSequence, TokenSequence, TokenSequence, TokenSequence] &
      TokenSequence[]
    const loss = (pairs: number, nllRows: number) => dpo({ beta: 0.3, pairs, nllRows, nllCoefficient: 0.7 })
    const whole = await stepOf(
      loss(2, 4),
      [
        {
          sequences: [a, b, c, d, e!, f!, g!, h!],
          extras: [vector(-3, -9), vector(-5, -7), vector(1, 1), vector(1, 1, 1, 1)],
        },
      ],
      update,
    )
    const parts = await stepOf(
      loss(1, 2),
      [
        { sequences: [a, c, e!, f!], extras: [vector(-3), vector(-5), vector(1), vector(1, 1)] },
        { sequences: [b, d, g!, h!], extras: [vector(-9), vector(-7), vector(1), vector(1, 1)] },
      ],
      update,
    )
    t.true(worst([parts.loss, ...parts.metrics], [whole.loss, ...whole.metrics]) < 1e-5)
    t.true(worst(parts.gradient, whole.gradient) < 2e-6)
  })
}

test('a loss that does not say what it is a mean over cannot be taken in parts', async (t) => {
  const plain: LossFunction = (logprobs) => ({ loss: tf.neg(tf.mean(logprobs)) as tf.Scalar, metrics: [] })
  const batch = { sequences: sequences.slice(0, 2) }
  await t.throwsAsync(stepOf(plain, [batch, batch], 'host'), { code: 'E_CONFIG', message: /mean over/ })
})

test('a DPO step reads chosen and rejected in one forward pass', async (t) => {
  const shapes: number[][] = []
  const loss = dpo({ beta: 0.1, pairs: 2 })
  const watched: LossFunction = (logprobs, ...rest) => {
    shapes.push([...logprobs.shape])
    return loss(logprobs, ...rest)
  }
  const extras = [vector(0, 0), vector(0, 0), vector(1, 1)]
  await stepOf(watched, [{ sequences: sequences.slice(0, 4), extras }], 'host')
  t.deepEqual(shapes, [[4, 48]])
})
