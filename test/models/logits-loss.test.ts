import '@tensorflow/tfjs-backend-cpu'
import * as tf from '@tensorflow/tfjs-core'
import test from 'ava'
import { preferenceLoss, preferenceObjective } from '../../alignment/index.js'
import { addHead, createValueTrainer } from '../../models/heads.js'
import { initParams, paramLayout } from '../../models/layout.js'
import { createLoraTrainer, initLora } from '../../models/lora.js'
import { createTrainer } from '../../models/trainer.js'
import type { TokenSequence } from '../../models/types.js'
import type { LossFunction } from '../../runtime/tensor/index.js'
import { seededRandom } from '../../runtime/time/random.js'
import { logitsOf, plainAdam, sum, tiny } from './support.js'

const config = { ...tiny, vocabSize: 9, numHiddenLayers: 1, tieWordEmbeddings: false }
const wide = initParams(config, seededRandom(3)).map((value) => (value === 1 ? 0.8 : value * 12))

/** Two pairs and a text: chosen, chosen, rejected, rejected, text. */
const sequences: TokenSequence[] = [
  { tokens: Int32Array.of(1, 4, 5, 6, 7), promptLength: 2 },
  { tokens: Int32Array.of(1, 8, 3, 2), promptLength: 2 },
  { tokens: Int32Array.of(1, 4, 3, 3), promptLength: 2 },
  { tokens: Int32Array.of(1, 8, 7, 6, 5, 2), promptLength: 2 },
  { tokens: Int32Array.of(1, 3, 4, 5), promptLength: 1 },
]
const vector = (...values: number[]) => ({ shape: [values.length], data: Float32Array.from(values) })
const extras = [vector(0, 0), vector(0, 0), vector(1, 0.5), vector(1)]
const gate = { margin: -1, temperature: 4 }
const objective = (detached: boolean, pairs = 2, nllRows = 1) =>
  preferenceObjective({ loss: preferenceLoss({ name: 'cringe', ...gate, detached }), pairs, nllRows })

const optionsOf = (backend: 'cpu' | 'onnx', packing = false) =>
  ({ optimizer: { ...plainAdam, learningRate: 0 }, engine: { backend, packing }, rows: 5, lengthBucket: 8 }) as const

const softplus = (x: number) => Math.log1p(Math.exp(x))

/** log π of a completion and its contrasts with the likeliest other token, in float64, from the logits of a forward pass. */
async function oracle({ tokens, promptLength }: TokenSequence) {
  const logits = await logitsOf(config, wide, tokens, 'cpu')
  let [logprob, contrast] = [0, 0]
  for (let t = promptLength; t < tokens.length; t++) {
    const row = [...logits.slice((t - 1) * config.vocabSize, t * config.vocabSize)]
    const own = row[tokens[t]!]!
    logprob += own - Math.log(sum(row.map(Math.exp)))
    contrast += softplus(own - Math.max(...row.filter((_, token) => token !== tokens[t])))
  }
  return { logprob, contrast }
}

for (const backend of ['cpu', 'onnx'] as const)
  for (const packing of [false, true])
    test(`${backend}${packing ? ', packed' : ''}: pairwise Cringe through a model is its formula on the model’s logits`, async (t) => {
      const trainer = createTrainer(config, wide.slice(), objective(true).loss, optionsOf(backend, packing))
      const { loss, metrics } = await trainer.step(sequences, extras)
      const rows = await Promise.all(sequences.map(oracle))
      const each = [0, 1].map((i) => {
        const [won, lost] = [rows[i]!, rows[i + 2]!]
        const open = 1 / (1 + Math.exp(-(gate.margin - won.logprob + lost.logprob) / gate.temperature))
        return open * (lost.contrast - won.logprob)
      })
      const preference = (each[0]! + 0.5 * each[1]!) / 1.5
      t.true(Math.abs(metrics[0]! - preference) < 1e-4 * preference)
      t.true(Math.abs(loss - preference + rows[4]!.logprob / 3) < 1e-4 * loss)
      await trainer.dispose()
    })

test('its gradient is the slope of the loss (finite differences), through the gate where that is asked for', async (t) => {
  const { loss } = objective(false)
  const trainer = createTrainer(config, wide.slice(), loss, optionsOf('cpu'))
  await trainer.step(sequences, extras)
  const gradient = (await trainer.state()).m.map((value) => value * 10)
  const random = seededRandom(4)
  const lossAt = async (index: number, change: number) => {
    const moved = wide.slice()
    moved[index]! += change
    return (await createTrainer(config, moved, loss, optionsOf('cpu')).step(sequences, extras)).loss
  }
  for (const { name, offset, length } of paramLayout(config).entries) {
    const index = offset + random.int(length)
    const slope = ((await lossAt(index, 5e-3)) - (await lossAt(index, -5e-3))) / 1e-2
    t.true(Math.abs(slope - gradient[index]!) < 5e-3 + 0.02 * Math.abs(slope), `${name}: ${slope}, ${gradient[index]}`)
  }
  const head = paramLayout(config).entries.at(-1)!
  t.true(gradient.slice(head.offset).some((value) => Math.abs(value) > 0.1))
  await trainer.dispose()
})

for (const update of ['host', 'graph'] as const)
  test(`update on the ${update}: micro-batches add up to one batch`, async (t) => {
    const options = { ...optionsOf('onnx'), optimizer: { ...plainAdam, learningRate: 1e-3 }, update, rows: 1 }
    const [apart, together] = [wide.slice(), wide.slice()]
    const { loss } = objective(true, 1, 0)
    const trainer = createTrainer(config, apart, loss, options)
    const { loss: parts } = await trainer.accumulate(
      [0, 1].map((i) => ({
        sequences: [sequences[i]!, sequences[i + 2]!],
        extras: [vector(0), vector(0), vector([1, 0.5][i]!), vector()],
      })),
    )
    const other = createTrainer(config, together, objective(true, 2, 0).loss, options)
    const { loss: whole } = await other.step(sequences.slice(0, 4), [...extras.slice(0, 3), vector()])
    await Promise.all([trainer.pull(), other.pull()])
    t.true(Math.abs(parts - whole) < 1e-4)
    t.true(apart.every((value, i) => Math.abs(value - together[i]!) < 2e-5))
    t.true(apart.some((value, i) => value !== wide[i]))
    await Promise.all([trainer.dispose(), other.dispose()])
  })

/** Reports, of what it asked of the logits, the sum inside and outside of completions, and how many extras follow. */
const probe: LossFunction = Object.assign(
  (logprobs: tf.Tensor, mask: tf.Tensor, [asked, ...rest]: readonly tf.Tensor[]) => {
    const inside = tf.sum(tf.mul(asked!, mask))
    const metrics = [inside, tf.sub(tf.sum(asked!), inside), tf.scalar(rest.length)] as tf.Scalar[]
    const all = [logprobs, ...rest].map((values) => tf.sum(values))
    return { loss: tf.mul(tf.addN(all), 1e-3) as tf.Scalar, metrics }
  },
  {
    ofLogits: (logits: tf.Tensor2D, tokens: tf.Tensor1D) =>
      tf.add(tf.mul(tf.max(logits, 1), 0), tf.cast(tokens, 'float32')) as tf.Tensor1D,
  },
)

test('an adapter’s trainer and a value head’s give what a loss asks of logits, too', async (t) => {
  const lora = { rank: 2, alpha: 4, targets: 'all-linear' } as const
  const params = wide.slice()
  const valued = addHead(config, params, 'value', seededRandom(1))
  const adapter = initLora(config, lora, seededRandom(2))
  const trainers = [
    createTrainer(config, params.slice(), probe, optionsOf('onnx')),
    createLoraTrainer(config, params, adapter, probe, { ...optionsOf('onnx'), lora }),
    createValueTrainer(config, valued, probe, optionsOf('onnx')),
  ]
  const written = sum(sequences.flatMap(({ tokens, promptLength }) => [...tokens.slice(promptLength)]))
  for (const [i, trainer] of trainers.entries()) {
    const { metrics } = await trainer.step(sequences)
    t.deepEqual([...metrics], [written, 0, i === 2 ? 1 : 0])
    await trainer.dispose()
  }
})
